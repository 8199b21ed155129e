import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** An answer of the service's own, in the form in which it prints errors. */
export interface AzureError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export const CONTAINER_BEING_DELETED: AzureError = {
  status: 409,
  code: 'ContainerBeingDeleted',
  message: 'The specified container is being deleted. Try operation later.',
};
export const SERVER_BUSY: AzureError = {
  status: 503,
  code: 'ServerBusy',
  message: 'The server is currently unable to receive requests. Please retry your request.',
};
export const TOO_MANY_REQUESTS: AzureError = {
  status: 429,
  code: 'TooManyRequests',
  message: 'The request was throttled. Please retry your request.',
};
export const NO_PERMISSION: AzureError = {
  status: 403,
  code: 'AuthorizationPermissionMismatch',
  message: 'This request is not authorized to perform this operation using this permission.',
};
export const CONDITION_NOT_MET: AzureError = {
  status: 412,
  code: 'ConditionNotMet',
  message: 'The condition specified using HTTP conditional header(s) is not met.',
};

/** Answers with an error; the connection stays usable where the request's body has been read. */
export function answerError(method: string, response: ServerResponse, error: AzureError): void {
  const requestId = randomUUID();
  const time = new Date().toISOString().replace('Z', '0000Z');
  const body = Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${error.code}</Code>` +
      `<Message>${error.message}\nRequestId:${requestId}\nTime:${time}</Message></Error>`,
  );
  response.writeHead(error.status, {
    'content-type': 'application/xml',
    'content-length': body.length,
    'x-ms-error-code': error.code,
    'x-ms-request-id': requestId,
    'x-ms-version': '2021-10-04',
    ...(error.status === 429 ? { 'retry-after': '1' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : body);
}
