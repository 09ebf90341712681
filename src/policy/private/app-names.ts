import { SynthesizedResource } from './synthesized-template';

/** A resource, and what people call it. */
export interface NamedResource {
  readonly name: string;
  readonly resource: SynthesizedResource;
}

/**
 * Names for resources: the path of the construct, without the `Resource` that a construct calls its main part, or the
 * logical id where no path is known.
 *
 * @param pathOf the path of the construct, if it is known
 */
export function nameResources(resources: SynthesizedResource[], pathOf: (resource: SynthesizedResource) => string | undefined): NamedResource[] {
  const long = resources.map((resource) => pathOf(resource) ?? metadataPath(resource) ?? resource.logicalId);
  const short = long.map((name) => name.replace(/(\/(Resource|Default))+$/, ''));
  const isAmbiguous = (name: string) => short.indexOf(name) !== short.lastIndexOf(name);
  return resources.map((resource, index) => ({ resource, name: isAmbiguous(short[index]) ? long[index] : short[index] }));
}

/** The resource that a text means, by name, logical id, physical name or ARN. Undefined: none. */
export function findResource(named: NamedResource[], text: string): NamedResource[] {
  const matching = named.filter(({ name }) => name === text);
  return matching.length > 0 ? matching : named.filter(({ resource }) =>
    [resource.logicalId, resource.physicalName.name, resource.physicalName.ref, resource.arn].includes(text));
}

function metadataPath({ raw }: SynthesizedResource): string | undefined {
  const path = raw.Metadata?.['aws:cdk:path'];
  return typeof path === 'string' ? path : undefined;
}
