import * as fs from 'fs';
import * as path from 'path';
import { asText } from './intrinsic-functions';
import { StackSource, SynthesizedResource, SynthesizedTemplate } from './synthesized-template';

const NESTED_STACK = 'AWS::CloudFormation::Stack';

/** A stack's template on disk, and where the stack will be, as far as that is known. */
export interface StackFile {
  readonly name: string;
  readonly templatePath: string;
  readonly account?: string;
  readonly region?: string;
}

/** All templates of an app, nested ones too, with the values that go from one to the other. */
export class SynthesizedApp {
  /** Reads templates and the nested ones that they name. */
  public static read(files: StackFile[], assumed = true): SynthesizedApp {
    return new SynthesizedApp(files.map((file) => ({ ...file, template: readTemplate(file.templatePath) })), assumed);
  }

  public readonly templates: SynthesizedTemplate[];

  private readonly roots: SynthesizedTemplate[];
  private readonly exported = new Map<string, { template: SynthesizedTemplate; value: unknown }>();
  private readonly nestedOf = new Map<SynthesizedTemplate, Map<string, SynthesizedTemplate | undefined>>();
  private readonly byArn: Map<string, SynthesizedResource>;

  /** @param assumed what conditions that only a deployment decides come out as */
  constructor(stacks: StackSource[], private readonly assumed: boolean = true) {
    this.roots = stacks.map((stack) => this.template(stack));
    for (const template of this.roots) {
      for (const [name, value] of template.exports) {
        this.exported.set(name, { template, value });
      }
    }
    this.templates = this.roots.flatMap((template) => this.withNested(template));
    this.byArn = new Map(this.templates.flatMap(({ resources }) => resources)
      .flatMap((resource) => (resource.arn === undefined ? [] : [[resource.arn, resource]])));
  }

  /** Whether it has to be read under both assumptions to see all of it. */
  public get hasConditions(): boolean {
    return this.templates.some(({ source }) => SynthesizedTemplate.variants(source.template).length > 1);
  }

  public get resources(): SynthesizedResource[] {
    return this.templates.flatMap(({ resources }) => resources);
  }

  public ofType(...types: string[]): SynthesizedResource[] {
    return this.templates.flatMap((template) => template.ofType(...types));
  }

  /** The resource that has this ARN, wherever in the app it is. */
  public resourceWithArn(arn: string): SynthesizedResource | undefined {
    return this.byArn.get(arn);
  }

  private template(source: StackSource, parameters: Record<string, unknown> = {}): SynthesizedTemplate {
    return new SynthesizedTemplate(source, this.assumed, {
      exportedValue: (name) => {
        const found = this.exported.get(name);
        return found?.template.resolve(found.value);
      },
      outputOf: (stackName, output) => this.roots.find((template) => template.stackName === stackName)?.output(output),
      nested: (parent, logicalId) => this.nested(parent, logicalId),
    }, parameters);
  }

  private withNested(template: SynthesizedTemplate): SynthesizedTemplate[] {
    const nested = template.ofType(NESTED_STACK).flatMap(({ logicalId }) => this.nested(template, logicalId) ?? []);
    return [template, ...nested.flatMap((child) => this.withNested(child))];
  }

  private nested(parent: SynthesizedTemplate, logicalId: string): SynthesizedTemplate | undefined {
    const known = this.nestedOf.get(parent) ?? new Map<string, SynthesizedTemplate | undefined>();
    this.nestedOf.set(parent, known);
    if (known.has(logicalId)) {
      return known.get(logicalId);
    }
    // While it is made it is not there: parameters of a nested stack may come from its own outputs in a broken template.
    known.set(logicalId, undefined);
    const resource = parent.resource(logicalId);
    const templatePath = resource && nestedTemplatePath(resource);
    if (resource !== undefined && templatePath !== undefined && fs.existsSync(templatePath)) {
      const { account, region, rootTemplatePath = parent.templatePath } = parent.source;
      known.set(logicalId, this.template(
        { name: `${parent.name}/${logicalId}`, template: readTemplate(templatePath), templatePath, rootTemplatePath, account, region },
        resource.property('Parameters') as Record<string, unknown> | undefined,
      ));
    }
    return known.get(logicalId);
  }
}

/** CDK's asset manifest says which file the URL of a nested template is made of; with the CLI the resource says it too. */
function nestedTemplatePath({ template, raw, properties }: SynthesizedResource): string | undefined {
  if (template.templatePath === undefined) {
    return undefined;
  }
  const beside = (file: string) => path.join(path.dirname(template.templatePath!), file);
  const file = raw.Metadata?.['aws:asset:path'];
  if (typeof file === 'string') {
    return beside(file);
  }
  const manifest = (template.source.rootTemplatePath ?? template.templatePath).replace(/\.template\.json$/, '.assets.json');
  if (!manifest.endsWith('.assets.json') || !fs.existsSync(manifest)) {
    return undefined;
  }
  const files: Record<string, { source?: { path?: string } }> = readTemplate(manifest).files ?? {};
  const url = asText(properties.TemplateURL);
  const source = Object.entries(files).find(([hash]) => url.includes(hash))?.[1].source?.path;
  return source === undefined ? undefined : beside(source);
}

function readTemplate(templatePath: string) {
  return JSON.parse(fs.readFileSync(templatePath, 'utf8'));
}
