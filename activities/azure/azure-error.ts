import { RestError } from '@azure/storage-blob';
import { IsthmusError, messageOf } from '../../schema/errors.ts';

/** A failed request to Blob Storage, by its status and Azure's own word for it. */
export interface AzureFailure {
  readonly status: number | undefined;
  /** `BlobNotFound`; a HEAD carries it in a header alone. */
  readonly code: string | undefined;
  /** The server's time, in milliseconds; the local one where it did not say. */
  readonly time: number;
  /** The `Retry-After` header, as it is. */
  readonly retryAfter: string | undefined;
}

/** @returns undefined where the error is none of the service's (an abort, a bug). */
export function azureFailure(error: unknown): AzureFailure | undefined {
  if (!(error instanceof RestError)) return undefined;
  const headers = error.response?.headers;
  return {
    status: error.statusCode,
    code: headers?.get('x-ms-error-code') ?? error.code,
    time: serverTime(headers?.get('date')),
    retryAfter: headers?.get('retry-after'),
  };
}

/** Reads a `Date` header, which has whole seconds. */
export function serverTime(date: string | undefined): number {
  const time = Date.parse(date ?? '');
  return Number.isFinite(time) ? time : Date.now();
}

/** The account, or the container itself, is not there or not ours to read. */
export function isContainerGone(failure: AzureFailure): boolean {
  return failure.code === 'ContainerNotFound' || failure.code === 'ContainerBeingDeleted';
}

/** What reaches a caller after the client's own retries. Aborts stay what they are. */
export function sourceError(error: unknown, doing: string): unknown {
  const failure = azureFailure(error);
  if (failure === undefined) {
    // A body that was cut ends in an error of the socket.
    if (
      !(error instanceof Error) ||
      !('code' in error) ||
      typeof error.code !== 'string' ||
      error instanceof IsthmusError
    ) {
      return error;
    }
    return new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', `${doing}: ${error.code}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const said = failure.code ?? messageOf(error);
  const message = `${doing}: ${failure.status ?? 'no answer'}: ${said}`;
  return new IsthmusError('ISTHMUS_SOURCE_UNAVAILABLE', message, { cause: error });
}
