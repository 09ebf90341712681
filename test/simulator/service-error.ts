/** HTTP status by exception name (3.1). */
const STATUS: Record<string, number> = {
  AccessDeniedException: 403,
  MissingAuthenticationTokenException: 403,
  InvalidSignatureException: 403,
  ValidationException: 400,
  SerializationException: 400,
  InvalidParameterValueException: 400,
  ServiceQuotaExceededException: 402,
  UnknownOperationException: 404,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  ResourceConflictException: 409,
  ThrottlingException: 429,
  TooManyRequestsException: 429,
  InternalServerException: 500,
  InsufficientCapacityException: 500,
  ServiceException: 500,
};

/** Members the service sends along as nulls (3.1). */
const EXTRA_MEMBERS: Record<string, string[]> = {
  ResourceNotFoundException: ['resourceId', 'resourceType'],
  ConflictException: ['resourceId', 'resourceType'],
  ServiceQuotaExceededException: ['quotaCode', 'serviceCode', 'resourceId', 'resourceType'],
  ThrottlingException: ['quotaCode', 'serviceCode'],
};

export class ServiceError extends Error {
  public readonly status: number;

  constructor(public readonly type: string, public readonly text: string | null, status?: number, public readonly retryAfterSeconds?: number) {
    super(`${type}: ${text}`);
    this.status = status ?? STATUS[type] ?? 500;
  }

  public body(): Record<string, unknown> {
    const extra = (EXTRA_MEMBERS[this.type] ?? []).map((member) => [member, null]);
    return { message: this.text, ...Object.fromEntries(extra) };
  }
}

export function validationError(message: string): ServiceError {
  return new ServiceError('ValidationException', message);
}

export function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message);
}

export function conflict(message: string): ServiceError {
  return new ServiceError('ConflictException', message);
}

export function quotaExceeded(message: string): ServiceError {
  return new ServiceError('ServiceQuotaExceededException', message);
}

/** The text names resource-based policies although images have none (2.6). */
export function accessDenied(operation: string, resource: string): ServiceError {
  return new ServiceError('AccessDeniedException',
    `User is not authorized to perform: lambda:${operation} on resource: ${resource} because no resource-based policy allows the lambda:${operation} action`);
}
