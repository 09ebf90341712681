/**
 * Everything we use of aws-cdk-lib that is exported without a promise of stability, in one place.
 */
export { UnscopedValidationError, ValidationError } from 'aws-cdk-lib/core/lib/errors';
export { lit } from 'aws-cdk-lib/core/lib/helpers-internal';
export { propertyInjectable } from 'aws-cdk-lib/core/lib/prop-injectable';
