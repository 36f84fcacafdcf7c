import type { ConnectionLike, WorkflowService } from '@temporalio/client';
import { withMethods } from './with-methods.ts';

type Name = 'patchSchedule' | 'startWorkflowExecution';
type Send<Call extends Name> = (
  request: Parameters<WorkflowService[Call]>[0],
) => ReturnType<WorkflowService[Call]>;

/** @returns the connection, for a client whose calls of this name are to become what `call` makes of them. */
export function replaceTemporalCall<Call extends Name>(
  connection: ConnectionLike,
  name: Call,
  call: (request: Parameters<Send<Call>>[0], send: Send<Call>) => ReturnType<Send<Call>>,
): ConnectionLike {
  const service = connection.workflowService;
  const send: Send<Call> = (request) => Reflect.apply(service[name], service, [request]);
  const replaced = new Proxy(service[name], {
    apply: (_original, _service, [request]: Parameters<Send<Call>>) => call(request, send),
  });
  const workflowService = withMethods<WorkflowService>(service, { [name]: replaced });
  return withMethods<ConnectionLike>(connection, { workflowService });
}
