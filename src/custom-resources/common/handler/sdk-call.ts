import { Refusal, ServiceRefusal } from './service-refusal';

export interface CallOptions {
  readonly abortSignal?: AbortSignal;
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const BY_NAME: Record<string, Refusal> = {
  ThrottlingException: 'transient',
  TooManyRequestsException: 'transient',
  InternalServerException: 'transient',
  ServiceException: 'transient',
  TooManyUpdates: 'transient',
  ServiceQuotaExceededException: 'quota',
  ParameterLimitExceeded: 'quota',
  ConflictException: 'busy',
  ResourceConflictException: 'busy',
  AccessDeniedException: 'denied',
  // The function's own credentials are renewed between ticks.
  ExpiredTokenException: 'transient',
  ResourceNotFoundException: 'notFound',
  ParameterNotFound: 'notFound',
  ParameterAlreadyExists: 'nameTaken',
};

/** The service puts different refusals behind one ValidationException; only the text tells them apart. */
const BY_TEXT: Array<[RegExp, Refusal]> = [
  [/already exists/i, 'nameTaken'],
  [/with running microvms/i, 'runningMicrovms'],
  [/current state|already in state/i, 'busy'],
  [/unable to assume|cannot be assumed/i, 'denied'],
];

function classify(error: SdkError): Refusal {
  const named = BY_NAME[error.name ?? ''];
  if (named !== undefined) {
    return named;
  }
  const status = error.$metadata?.httpStatusCode;
  // A gateway answers 5xx with an HTML page, which the SDK cannot parse; a lost connection has no status at all.
  if (status === undefined || status >= 500 || status === 429 || error.name === 'SyntaxError') {
    return 'transient';
  }
  return BY_TEXT.find(([text]) => text.test(error.message ?? ''))?.[1] ?? (status === 403 ? 'denied' : 'invalid');
}

/** The SDK's own words for an answer without any, or one it cannot parse, say nothing to the reader of an error. */
function messageOf(error: SdkError): string {
  if (error.name === 'SyntaxError') {
    return `the service answered HTTP ${error.$metadata?.httpStatusCode ?? 'status unknown'} with something else than JSON`;
  }
  return error.message === undefined || error.message === 'UnknownError' ? '' : error.message;
}

/** A call whose failure becomes a refusal, whatever the client made of it. */
export async function refusing<T>(operation: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw new ServiceRefusal(classify(error as SdkError), operation, messageOf(error as SdkError));
  }
}

export async function unlessNotFound<T>(otherwise: T, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ServiceRefusal && error.refusal === 'notFound') {
      return otherwise;
    }
    throw error;
  }
}
