/** `/v1/pipelines`: pipelines with immutable versions and movable labels. Writing needs the scope `admin`. */
import type { RequestHandler } from 'express';
import { pipelineJsonSchema } from '../../contracts/pipeline-json-schema.ts';
import { newPipelineSchema, pipelineLabelSchema, pipelineNameSchema } from '../../contracts/pipelines.ts';
import { labelNameSchema, versionNumberSchema } from '../../contracts/prompts.ts';
import { checkPipeline } from '../../engine/jobs/check-pipeline.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseBody, parseWith } from '../http/read-request.ts';

type NamedVersion = RequestHandler<{ name: string; version: string }>;
type NamedLabel = RequestHandler<{ name: string; label: string }>;

/** Answers 201 with the new version, or 200 with an earlier one of the same content. */
export function addPipeline({ pipelines, stored }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const { tenant, keyId } = callerIn(response);
    const { name, ...content } = parseBody(request, newPipelineSchema);
    checkPipeline(content);
    const bytes = Buffer.byteLength(JSON.stringify(content));
    await stored.takePrompt(tenant, bytes);
    let isKept = false;
    try {
      const { version, created } = await pipelines.addVersion(tenant, name, content, keyId);
      isKept = created;
      response
        .status(created ? 201 : 200)
        .location(`/v1/pipelines/${name}/versions/${version}`)
        .json(await pipelines.readVersion(tenant, name, version));
    } finally {
      if (!isKept) await stored.dropPrompt(tenant, bytes);
    }
  };
}

export function listPipelines({ pipelines }: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    response.json({ data: await pipelines.list(callerIn(response).tenant) });
  };
}

/** The JSON Schema of a pipeline, for editors. */
export function getPipelineSchema(): RequestHandler {
  return (_request, response) => {
    response.type('application/schema+json').json(pipelineJsonSchema());
  };
}

export function getPipeline({ pipelines }: ApiDependencies): RequestHandler<{ name: string }> {
  return async (request, response) => {
    const name = parseWith(pipelineNameSchema, request.params.name, 'name');
    response.json(await pipelines.read(callerIn(response).tenant, name));
  };
}

export function getPipelineVersion({ pipelines }: ApiDependencies): NamedVersion {
  return async (request, response) => {
    const name = parseWith(pipelineNameSchema, request.params.name, 'name');
    const version = parseWith(versionNumberSchema, Number(request.params.version), 'version');
    response.json(await pipelines.readVersion(callerIn(response).tenant, name, version));
  };
}

export function setPipelineLabel({ pipelines }: ApiDependencies): NamedLabel {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    const name = parseWith(pipelineNameSchema, request.params.name, 'name');
    const label = parseWith(labelNameSchema, request.params.label, 'label');
    const { version } = parseBody(request, pipelineLabelSchema);
    await pipelines.setLabel(tenant, name, label, version);
    response.json(await pipelines.read(tenant, name));
  };
}

export function removePipelineLabel({ pipelines }: ApiDependencies): NamedLabel {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    const name = parseWith(pipelineNameSchema, request.params.name, 'name');
    await pipelines.removeLabel(tenant, name, parseWith(labelNameSchema, request.params.label, 'label'));
    response.json(await pipelines.read(tenant, name));
  };
}
