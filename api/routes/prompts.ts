/** `/v1/prompts`: named prompts, with immutable versions and movable labels. Writing needs the scope `admin`. */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import {
  labelNameSchema,
  labelTargetSchema,
  promptContentSchema,
  promptNameSchema,
  versionNumberSchema,
} from '../../contracts/prompts.ts';
import { checkContent } from '../../engine/prompts/render-prompt.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseBody, parseWith } from '../http/read-request.ts';

export function listPrompts({ prompts }: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    response.json({ data: await prompts.list(callerIn(response).tenant) });
  };
}

export function getPrompt({ prompts }: ApiDependencies): RequestHandler<{ name: string }> {
  return async (request, response) => {
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    response.json(await prompts.read(callerIn(response).tenant, name));
  };
}

export function getPromptVersion({
  prompts,
}: ApiDependencies): RequestHandler<{ name: string; version: string }> {
  return async (request, response) => {
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    const version = parseWith(versionNumberSchema, Number(request.params.version), 'version');
    response.json(await prompts.readVersion(callerIn(response).tenant, name, version));
  };
}

/** Answers 201 with the new version, or 200 with an earlier one of the same content. */
export function addPromptVersion({ prompts, stored }: ApiDependencies): RequestHandler<{ name: string }> {
  return async (request, response) => {
    const { tenant, keyId } = callerIn(response);
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    const content = parseBody(request, promptContentSchema);
    checkContent(content);
    const bytes = Buffer.byteLength(JSON.stringify(content));
    await stored.takePrompt(tenant, bytes);
    const { version, created } = await addOrDrop(
      () => prompts.addVersion(tenant, name, content, keyId),
      () => stored.dropPrompt(tenant, bytes),
    );
    response
      .status(created ? 201 : 200)
      .location(`/v1/prompts/${name}/versions/${version}`)
      .json(await prompts.readVersion(tenant, name, version));
  };
}

/** Removes the bytes from the tenant's count again, when no version was added. */
async function addOrDrop<Added extends { readonly created: boolean }>(
  add: () => Promise<Added>,
  drop: () => Promise<void>,
): Promise<Added> {
  try {
    const added = await add();
    if (!added.created) await drop();
    return added;
  } catch (error) {
    await drop();
    throw error;
  }
}

export function setPromptLabel({
  prompts,
}: ApiDependencies): RequestHandler<{ name: string; label: string }> {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    const label = parseWith(labelNameSchema, request.params.label, 'label');
    await prompts.setLabel(tenant, name, label, parseBody(request, labelTargetSchema));
    response.json(await prompts.read(tenant, name));
  };
}

export function removePromptLabel({
  prompts,
}: ApiDependencies): RequestHandler<{ name: string; label: string }> {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    await prompts.removeLabel(tenant, name, parseWith(labelNameSchema, request.params.label, 'label'));
    response.json(await prompts.read(tenant, name));
  };
}

/** `?baseline=` is the version that the others are compared with; if absent, the first that was used. */
export function getPromptStats({ prompts, promptStats }: ApiDependencies): RequestHandler<{ name: string }> {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    const { baseline } = request.query;
    const against =
      baseline === undefined ? null : parseWith(versionNumberSchema, Number(baseline), 'baseline');
    const { latest } = await prompts.read(tenant, name);
    if (against !== null && against > latest) {
      throw new UnbrokenError('prompt_not_found', `baseline: "${name}" has ${latest} versions.`);
    }
    response.json(await promptStats.read(tenant, name, latest, against));
  };
}
