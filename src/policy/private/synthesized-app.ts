import * as fs from 'fs';
import * as path from 'path';
import { asText } from './intrinsic-functions';
import { parseJson } from './json-text';
import { Assumption, StackSource, SynthesizedResource, SynthesizedTemplate, TemplateDocument } from './synthesized-template';

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
  /** Templates and the nested ones that they name, under each assumption about their conditions that makes a difference. */
  public static readings(stacks: StackSource[]): SynthesizedApp[] {
    const app = new SynthesizedApp(stacks);
    const assumptions = app.templates.flatMap(({ source }) => SynthesizedTemplate.variants(source.template).slice(1));
    const distinct = new Map(assumptions.map((assumed) => [JSON.stringify(assumed), assumed]));
    return [app, ...[...distinct.values()].map((assumed) => new SynthesizedApp(stacks, assumed))];
  }

  /** Reads templates from disk. */
  public static read(files: StackFile[]): SynthesizedApp[] {
    return SynthesizedApp.readings(files.map((file) => ({ ...file, template: readTemplate(file.templatePath) })));
  }

  public readonly templates: SynthesizedTemplate[];

  private readonly roots: SynthesizedTemplate[];
  private readonly exported = new Map<string, { template: SynthesizedTemplate; value: unknown }>();
  private readonly nestedOf = new Map<SynthesizedTemplate, Map<string, SynthesizedTemplate | undefined>>();
  private readonly byArn: Map<string, SynthesizedResource>;

  /** @param assumed what conditions that only a deployment decides come out as */
  constructor(stacks: StackSource[], private readonly assumed: Assumption = { holds: true }) {
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

/** Nested templates can be YAML, which is not read: the checks must not fail the synth because of it. */
function readTemplate(templatePath: string): TemplateDocument {
  const document = parseJson(fs.readFileSync(templatePath, 'utf8'));
  return typeof document === 'object' ? document ?? {} : {};
}
