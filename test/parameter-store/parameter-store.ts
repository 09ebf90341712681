import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { Caller } from '../simulator/call-log';
import { Faults } from '../simulator/faults';
import { GATEWAY_502, HttpAnswer, HttpRequest, parseJson, readRequest, send } from '../simulator/http-exchange';
import { ServiceError } from '../simulator/service-error';
import { assertSigned, readCaller } from '../simulator/signature';

type Input = Record<string, any>;

interface Stored { readonly type: string; readonly value: string; readonly version: number; readonly at: number; readonly before?: Stored }

export interface StoreCall {
  readonly operation: string;
  /** Everything IAM would check. */
  readonly requires: readonly { readonly action: string; readonly resource: string }[];
  readonly caller: Caller;
  readonly body: Input;
  readonly status: number;
}

const PREFIX = 'AmazonSSM.';
const MAX_AT_ONCE = 10;
const MAX_STANDARD = 4096;
const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/**
 * The part of SSM Parameter Store that publications use, on loopback: the unmodified SDK client works against `endpoint`.
 * Limits and errors are those of the API reference:
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html and its neighbours.
 */
export class ParameterStore {
  public static async start(): Promise<ParameterStore> {
    const store = new ParameterStore();
    await new Promise<void>((resolve, reject) => store.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return store;
  }

  public readonly faults = new Faults();
  public calls: StoreCall[] = [];
  /** In milliseconds since the epoch. */
  public now: () => number = Date.now;
  /** Told of each write, once it is done. */
  public onWrite?: (operation: string, names: string[]) => void;
  private readonly stored = new Map<string, Stored>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  public get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What is stored, by name. */
  public get values(): Record<string, string> {
    return Object.fromEntries([...this.stored].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { value }]) => [name, value]));
  }

  public typeOf(name: string): string | undefined {
    return this.stored.get(name)?.type;
  }

  /** As somebody with the console would. */
  public set(name: string, value: string, type = 'String'): void {
    this.stored.set(name, { type, value, version: 1, at: this.now() });
  }

  public clear(): void {
    this.stored.clear();
    this.faults.clear();
    this.calls = [];
  }

  public async stop(): Promise<void> {
    this.faults.clear();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** What `endpoint` answers, for those of this process who need no socket between. */
  public handle({ headers, body: text }: HttpRequest): HttpAnswer {
    const operation = String(headers['x-amz-target'] ?? '').slice(PREFIX.length);
    const caller = readCaller(headers);
    const body: Input = parseJson(text);
    const resource = this.resources(operation, body);
    const fault = this.faults.strike({ operation, resource: resource[0] ?? '*', body });
    const error = fault?.errorFor(operation);
    let answer: HttpAnswer;
    try {
      assertSigned(caller, 'ssm', REGION);
      if (error) {
        throw new ServiceError(error.type, error.message, error.status ?? 400);
      }
      answer = fault?.spec.http502 ? GATEWAY_502 : this.answer(200, this.dispatch(operation, body));
      answer = fault?.spec.lostResponse ? { status: 0, drop: true } : fault?.spec.http502AfterEffect ? GATEWAY_502 : answer;
    } catch (refused) {
      if (!(refused instanceof ServiceError)) {
        throw refused;
      }
      answer = this.answer(refused.status, { __type: refused.type, message: refused.text });
    }
    this.calls.push({ operation, caller, body, status: answer.status, requires: resource.map((name) => ({ action: `ssm:${operation}`, resource: name })) });
    return answer;
  }

  private async serve(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    send(response, this.handle(await readRequest(raw)));
  }

  private dispatch(operation: string, input: Input): unknown {
    switch (operation) {
      case 'PutParameter': return this.put(input);
      case 'GetParameters': return this.get(input);
      case 'GetParametersByPath': return this.getByPath(input);
      case 'DeleteParameters': return this.delete(input);
      default: throw new ServiceError('UnknownOperationException', null, 400);
    }
  }

  private put({ Name, Value, Type, Overwrite }: Input): unknown {
    if (!/^(\/[a-zA-Z0-9_.-]+){1,15}$/.test(Name) || Name.length > 1011 || /^\/?(aws|ssm)/i.test(Name)) {
      throw validation('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive) and consists of letters, digits and _ . - in at most 15 levels.');
    }
    if (typeof Value !== 'string' || Value.length < 1 || Value.length > MAX_STANDARD) {
      throw validation('Standard tier parameters support a maximum parameter value of 4096 characters.');
    }
    if (!['String', 'StringList'].includes(Type) || (Type === 'StringList' && Value.split(',').some((item) => item === ''))) {
      throw validation(`Value '${Value}' is no ${Type}`);
    }
    const before = this.stored.get(Name);
    if (before && !Overwrite) {
      throw new ServiceError('ParameterAlreadyExists', 'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.', 400);
    }
    if (before && before.type !== Type) {
      throw new ServiceError('HierarchyTypeMismatchException', 'Parameter Store does not support changing a parameter type.', 400);
    }
    const version = (before?.version ?? 0) + 1;
    this.stored.set(Name, { type: Type, value: Value, version, at: this.now(), before });
    this.onWrite?.('PutParameter', [Name]);
    return { Version: version, Tier: 'Standard' };
  }

  private get({ Names }: Input): unknown {
    atMost(Names, MAX_AT_ONCE);
    const found = Names.map((name: string) => this.selected(name));
    return { Parameters: found.filter(Boolean), InvalidParameters: Names.filter((_name: string, index: number) => !found[index]) };
  }

  private getByPath({ Path, Recursive, MaxResults = MAX_AT_ONCE, NextToken }: Input): unknown {
    if (MaxResults > MAX_AT_ONCE) {
      throw validation(`1 validation error detected: Value '${MaxResults}' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 10`);
    }
    const below = `${Path}/`;
    const names = [...this.stored.keys()].sort().filter((name) => name.startsWith(below) && (Recursive || !name.slice(below.length).includes('/')));
    const start = Number(NextToken ?? 0);
    const end = start + MaxResults;
    return { Parameters: names.slice(start, end).map((name) => this.document(name)), NextToken: end < names.length ? String(end) : undefined };
  }

  private delete({ Names }: Input): unknown {
    atMost(Names, MAX_AT_ONCE);
    const deleted = Names.filter((name: string) => this.stored.delete(name));
    this.onWrite?.('DeleteParameters', deleted);
    return { DeletedParameters: deleted, InvalidParameters: Names.filter((name: string) => !deleted.includes(name)) };
  }

  /** `<name>:<version>` is what a parameter held then. */
  private selected(query: string) {
    const [name, selector] = query.split(':');
    let stored = this.stored.get(name);
    while (stored !== undefined && selector !== undefined && stored.version !== Number(selector)) {
      stored = stored.before;
    }
    return stored && this.document(name, stored, selector);
  }

  private document(name: string, { type, value, version, at }: Stored = this.stored.get(name)!, selector?: string) {
    const LastModifiedDate = at / 1_000;
    return { Name: name, Type: type, Value: value, Version: version, LastModifiedDate, ARN: arn(name), DataType: 'text', Selector: selector && `:${selector}` };
  }

  private resources(operation: string, { Name, Names, Path }: Input): string[] {
    return operation === 'GetParametersByPath' ? [arn(Path)] : [Name ?? [], Names ?? []].flat().map((name) => arn(name.split(':')[0]));
  }

  private answer(status: number, document: unknown): HttpAnswer {
    return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(document) };
  }
}

function arn(name: string): string {
  return `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${name}`;
}

function atMost(names: unknown[], limit: number) {
  if (!Array.isArray(names) || names.length < 1 || names.length > limit) {
    throw validation(`1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to ${limit}`);
  }
}

function validation(message: string): ServiceError {
  return new ServiceError('ValidationException', message, 400);
}
