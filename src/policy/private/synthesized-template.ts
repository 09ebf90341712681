import { resolve, Surroundings } from './intrinsic-functions';
import { PhysicalName, Place } from './physical-names';

/** A CloudFormation template, as `cdk synth` writes it. */
export type TemplateDocument = Record<string, any>;

/** A stack of an app, and what is known about where it will be. */
export interface StackSource {
  /** Unique in the app. */
  readonly name: string;
  readonly template: TemplateDocument;
  /** The file the template was read from. */
  readonly templatePath?: string;
  /** Of a nested stack: the file of the stack it is in. Assets of both are in the manifest of that one. */
  readonly rootTemplatePath?: string;
  readonly stackName?: string;
  readonly account?: string;
  readonly region?: string;
}

/** What a template needs to know of those around it. */
export interface Neighbours {
  exportedValue(name: string): unknown;
  outputOf(stackName: string, output: string): unknown;
  /** The template of a nested stack. */
  nested(parent: SynthesizedTemplate, logicalId: string): SynthesizedTemplate | undefined;
}

const LONELY: Neighbours = { exportedValue: () => undefined, outputOf: () => undefined, nested: () => undefined };

/** Where a template is when nobody says. Neither has a colon: people split ARNs. */
const SOMEWHERE = { region: '${Region}', account: '${AccountId}' };

/** A condition CDK adds by itself; it decides about nothing but CDK's own metadata. */
const METADATA_CONDITION = 'CDKMetadataAvailable';

/** A template with a condition for each of a great many flags is read under this many assumptions, and two more. */
const MAX_SINGLE_CONDITIONS = 16;

/** What comparisons come out as that only a deployment can make: all the same, but for that of one condition. */
export interface Assumption {
  readonly holds: boolean;
  readonly butFor?: string;
}

/**
 * A template with its intrinsic functions resolved: to what a deployment makes of them as far as that is known, else to
 * placeholders that are the same for the same thing.
 *
 * Conditions that depend on a deployment come out as assumed: see `variants`.
 */
export class SynthesizedTemplate {
  /**
   * The assumptions under which a template is seen: all conditions hold, none holds, and of several each holds alone, as that for
   * one stage does. So each two of them are seen in all ways they can come out.
   */
  public static variants(template: TemplateDocument): Assumption[] {
    const conditions = entriesOf(template.Conditions).filter(([name]) => name !== METADATA_CONDITION);
    const comparing = conditions.filter(([, expression]) => expression['Fn::Equals'] !== undefined).map(([name]) => name);
    return [
      { holds: true },
      ...conditions.length > 0 ? [{ holds: false }] : [],
      ...comparing.length > 1 ? comparing.slice(0, MAX_SINGLE_CONDITIONS).map((butFor) => ({ holds: false, butFor })) : [],
    ];
  }

  public readonly name: string;
  public readonly templatePath?: string;
  public readonly place: Place;
  public readonly resources: SynthesizedResource[];

  private readonly document: TemplateDocument;
  private readonly byId: Map<string, SynthesizedResource>;
  private readonly conditions = new Map<string, boolean>();
  private readonly surroundings: Surroundings;

  /**
   * @param assumed what the comparisons in conditions that cannot be made come out as
   * @param parameters values of parameters, for a nested stack
   */
  constructor(
    public readonly source: StackSource,
    private readonly assumed: Assumption = { holds: true },
    private readonly neighbours: Neighbours = LONELY,
    private readonly parameters: Record<string, unknown> = {},
  ) {
    this.name = source.name;
    this.templatePath = source.templatePath;
    this.document = source.template;
    this.place = placeOf(source);
    this.surroundings = {
      ref: (name) => this.ref(name),
      attribute: (logicalId, attribute) => this.attribute(logicalId, attribute),
      condition: (name) => this.condition(name),
      mapping: (map, first, second) => this.document.Mappings?.[map]?.[first]?.[second],
      importedValue: (name) => this.neighbours.exportedValue(name),
      outputOf: (stackName, output) => this.neighbours.outputOf(stackName, output),
    };
    const all = entriesOf(this.document.Resources)
      .map(([logicalId, raw]) => new SynthesizedResource(this, logicalId, raw));
    this.byId = new Map(all.map((resource) => [resource.logicalId, resource]));
    this.resources = all.filter(({ raw }) => raw.Condition === undefined || this.condition(String(raw.Condition)));
  }

  /** The name of the stack, as far as it is known. */
  public get stackName(): string {
    return this.source.stackName ?? this.name.replace(/\//g, '-');
  }

  public resource(logicalId: string): SynthesizedResource | undefined {
    return this.byId.get(logicalId);
  }

  public ofType(...types: string[]): SynthesizedResource[] {
    return this.resources.filter(({ type }) => types.includes(type));
  }

  /** The value of anything in the template. */
  public resolve(value: unknown): unknown {
    return resolve(value, this.surroundings);
  }

  /** The values that other stacks can import. */
  public get exports(): Map<string, unknown> {
    return new Map(entriesOf(this.document.Outputs)
      .filter(([, output]) => output.Export?.Name !== undefined)
      .map(([, output]) => [String(this.resolve(output.Export.Name)), output.Value]));
  }

  public output(name: string): unknown {
    return this.resolve(this.document.Outputs?.[name]?.Value);
  }

  /** The default of a parameter, for those that look for text in a template. */
  public parameterDefault(name: string): unknown {
    return this.document.Parameters?.[name]?.Default;
  }

  /** All values of a mapping that these keys can mean. A key that only a deployment tells means each. */
  public mappedValues(map: unknown, first: unknown, second: unknown): unknown[] {
    const under = (section: unknown, key: unknown) => entriesIn(section).filter(([name]) => typeof key === 'object' || name === String(key)).map(([, value]) => value);
    return under(this.document.Mappings, map).flatMap((found) => under(found, first)).flatMap((found) => under(found, second));
  }

  /** Whether a resolved text has in it what CloudFormation shows nobody. */
  public holdsHidden(text: string): boolean {
    return entriesIn(this.document.Parameters).some(([name]) => this.isHidden(name) && text.includes(this.unknownParameter(name)));
  }

  /** Whether a parameter is one that CloudFormation shows nobody. */
  public isHidden(name: string): boolean {
    return String(this.document.Parameters?.[name]?.NoEcho) === 'true';
  }

  private ref(name: string): unknown {
    switch (name) {
      case 'AWS::NoValue': return undefined;
      case 'AWS::Partition': return this.place.partition;
      case 'AWS::Region': return this.place.region;
      case 'AWS::AccountId': return this.place.account;
      case 'AWS::StackName': return this.stackName;
      case 'AWS::StackId': return `arn:${this.place.partition}:cloudformation:${this.place.region}:${this.place.account}:stack/${this.stackName}/\${StackId}`;
      case 'AWS::URLSuffix': return this.place.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
    }
    return this.byId.get(name)?.physicalName.ref ?? this.parameter(name);
  }

  private parameter(name: string): unknown {
    if (Object.prototype.hasOwnProperty.call(this.parameters, name)) {
      return this.parameters[name];
    }
    const { Default: value, Type: type = 'String' } = this.document.Parameters?.[name] ?? {};
    // The default of these is the name of an SSM parameter, not its value.
    if (value === undefined || /^AWS::SSM::/.test(type)) {
      return this.unknownParameter(name);
    }
    return /^(CommaDelimitedList|List<)/.test(type) ? String(value).split(',').map((entry) => entry.trim()) : value;
  }

  private unknownParameter(name: string): string {
    return `\${${this.stackName}-${name}}`;
  }

  private attribute(logicalId: string, attribute: string): unknown {
    const resource = this.byId.get(logicalId);
    if (resource === undefined) {
      return `\${${this.stackName}-${logicalId}.${attribute}}`;
    }
    if (resource.type === 'AWS::CloudFormation::Stack' && attribute.startsWith('Outputs.')) {
      const value = this.neighbours.nested(this, logicalId)?.output(attribute.slice('Outputs.'.length));
      if (value !== undefined) {
        return value;
      }
    }
    if (resource.type === 'AWS::SSM::Parameter' && attribute === 'Value') {
      return resource.property('Value');
    }
    return resource.physicalName.attribute(attribute);
  }

  private condition(name: string): boolean {
    const known = this.conditions.get(name);
    if (known !== undefined) {
      return known;
    }
    const { holds, butFor } = this.assumed;
    const unknown = name === butFor ? !holds : holds;
    this.conditions.set(name, unknown);
    const decided = this.decide(this.document.Conditions?.[name], unknown);
    this.conditions.set(name, decided);
    return decided;
  }

  private decide(expression: any, unknown: boolean): boolean {
    const [name, argument] = Object.entries<any>(expression ?? {})[0] ?? [];
    switch (name) {
      case 'Condition': return this.condition(argument);
      case 'Fn::Not': return !this.decide(argument[0], unknown);
      case 'Fn::And': return argument.every((entry: any) => this.decide(entry, unknown));
      case 'Fn::Or': return argument.some((entry: any) => this.decide(entry, unknown));
      // Parameters and places can be anything when it is deployed.
      case 'Fn::Equals': return argument.every((entry: any) => typeof entry !== 'object') ? argument[0] === argument[1] : unknown;
      default: return unknown;
    }
  }
}

/** A resource of a template. */
export class SynthesizedResource {
  public readonly type: string;
  public readonly physicalName: PhysicalName;
  private resolved?: Record<string, unknown>;
  private readonly single = new Map<string, unknown>();

  constructor(public readonly template: SynthesizedTemplate, public readonly logicalId: string, public readonly raw: TemplateDocument) {
    this.type = String(raw.Type);
    this.physicalName = new PhysicalName(this.type, template.place, (name) => this.property(name), `${template.stackName}-${logicalId}`);
  }

  /** Its properties, intrinsic functions resolved. */
  public get properties(): Record<string, any> {
    return this.resolved ??= (this.template.resolve(this.raw.Properties ?? {}) ?? {}) as Record<string, unknown>;
  }

  /** One of its properties: names must not depend on properties that depend on them. */
  public property(name: string): unknown {
    if (!this.single.has(name)) {
      this.single.set(name, undefined);
      this.single.set(name, this.template.resolve(this.raw.Properties?.[name]));
    }
    return this.single.get(name);
  }

  public get templatePath(): string | undefined {
    return this.template.templatePath;
  }

  /** Its ARN, where its type is one whose ARN is known here. */
  public get arn(): string | undefined {
    return this.physicalName.arn;
  }
}

/** What is no object, such as the list of a macro like `Fn::ForEach`, says nothing before CloudFormation has replaced it. */
function entriesOf(section: unknown): Array<[string, TemplateDocument]> {
  return entriesIn(section).filter((entry): entry is [string, TemplateDocument] => typeof entry[1] === 'object' && entry[1] !== null && !Array.isArray(entry[1]));
}

function entriesIn(section: unknown): Array<[string, unknown]> {
  return typeof section === 'object' ? Object.entries(section ?? {}) : [];
}

function placeOf({ account = SOMEWHERE.account, region = SOMEWHERE.region }: StackSource): Place {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return { account, region, partition };
}
