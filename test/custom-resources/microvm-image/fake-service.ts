import { twoBuilds } from './builders';
import { ImageEvent } from '../../../src/custom-resources/microvm-events';
import { ImageConfig } from '../../../src/custom-resources/microvm-image/handler/config';
import {
  BaseVersionView, BuildView, ImageView, Refusal, ServicePort, ServiceRefusal, SnapshotSizes, VersionView,
} from '../../../src/custom-resources/microvm-image/handler/service-port';

type Call = keyof ServicePort;

const READS: Call[] = ['getImage', 'listVersions', 'listBuilds', 'getSnapshotSizes', 'listBaseVersions', 'listLiveMicrovms', 'listMicrovmsOfVersion', 'listVersionsInUse', 'tailLog'];

/** The port with one image behind it: it answers what it is told to, and keeps what it was asked. */
export class FakeService implements ServicePort {
  public image?: ImageView;
  public versions: VersionView[] = [];
  public builds: BuildView[] = twoBuilds('IN_PROGRESS');
  public sizes: SnapshotSizes = {};
  public baseVersions: BaseVersionView[] = [{ version: '1.0', status: 'AVAILABLE' }];
  public liveMicrovms: string[] = [];
  public microvmsOf: Record<string, string[]> = {};
  public logLines: string[] = [];

  public readonly calls: Array<{ readonly name: Call; readonly args: unknown[] }> = [];
  private readonly faults = new Map<Call, unknown>();

  /** From now on the call is refused, or breaks with whatever is given. */
  public refuse(name: Call, fault: Refusal | Error, message = `no ${name} now`): this {
    this.faults.set(name, typeof fault === 'string' ? new ServiceRefusal(fault, name, message) : fault);
    return this;
  }

  public get names(): Call[] {
    return this.calls.map((call) => call.name);
  }

  /** The calls that change something. */
  public get changes(): Call[] {
    return this.names.filter((name) => !READS.includes(name));
  }

  public async getImage(imageArn: string): Promise<ImageView | undefined> { return this.answer('getImage', [imageArn], this.image); }
  public async listVersions(imageArn: string): Promise<VersionView[]> { return this.answer('listVersions', [imageArn], [...this.versions]); }
  public async listBuilds(imageArn: string, version: string): Promise<BuildView[]> { return this.answer('listBuilds', [imageArn, version], this.builds); }
  public async getSnapshotSizes(...args: [string, string, string]): Promise<SnapshotSizes> { return this.answer('getSnapshotSizes', args, this.sizes); }
  public async listBaseVersions(arn: string): Promise<BaseVersionView[]> { return this.answer('listBaseVersions', [arn], this.baseVersions); }
  public async listLiveMicrovms(imageArn: string): Promise<string[]> { return this.answer('listLiveMicrovms', [imageArn], this.liveMicrovms); }
  public async listMicrovmsOfVersion(imageArn: string, version?: string): Promise<string[]> { return this.answer('listMicrovmsOfVersion', [imageArn, version], this.microvmsOf[version ?? ''] ?? []); }
  public async listVersionsInUse(imageArn: string): Promise<string[]> { return this.answer('listVersionsInUse', [imageArn], Object.keys(this.microvmsOf)); }
  public async tailLog(...args: [string, string, number]): Promise<string[]> { return this.answer('tailLog', args, this.logLines); }

  public async createImage(...args: [string, ImageConfig, Record<string, string>, string]): Promise<void> { return this.answer('createImage', args, undefined); }
  public async updateImage(...args: [string, ImageConfig, string]): Promise<void> { return this.answer('updateImage', args, undefined); }
  public async activateVersion(...args: [string, string]): Promise<void> { return this.answer('activateVersion', args, undefined); }
  public async retireVersion(...args: [string, string]): Promise<void> { return this.answer('retireVersion', args, undefined); }
  public async deleteVersion(...args: [string, string]): Promise<void> { return this.answer('deleteVersion', args, undefined); }
  public async deleteImage(...args: [string]): Promise<void> { return this.answer('deleteImage', args, undefined); }
  public async terminateMicrovm(...args: [string]): Promise<void> { return this.answer('terminateMicrovm', args, undefined); }
  public async tag(...args: [string, Record<string, string>]): Promise<void> { return this.answer('tag', args, undefined); }
  public async untag(...args: [string, string[]]): Promise<void> { return this.answer('untag', args, undefined); }

  public async putEvent(...args: [string, ImageEvent]): Promise<void> { return this.answer('putEvent', args, undefined); }

  private answer<T>(name: Call, args: unknown[], result: T): T {
    this.calls.push({ name, args });
    if (this.faults.has(name)) {
      throw this.faults.get(name);
    }
    return result;
  }
}
