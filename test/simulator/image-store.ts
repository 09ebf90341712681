import { BuildPlan, DeletionPlan, Plans } from './build-plan';
import { Context, spanOf } from './context';
import { IdempotencyTokens } from './idempotency';
import { Image, ImageVersion, VersionState } from './image';
import { ImageBuilds } from './image-builds';
import { acceptedDocument, buildDocument, buildSummary, configOf, imageDocument, imageSummary, versionDocument } from './image-documents';
import { Page, page } from './paging';
import { conflict, notFound, quotaExceeded, validationError } from './service-error';
import { Transition } from './transition';
import { checkImageConfig, checkShape, checkTagCount } from './validation';

type Input = Record<string, any>;
type Query = Record<string, string | string[]>;
type Document = Record<string, unknown>;

const BUILD_MS = 150_000;
/** However long a build takes: one that stays PENDING for minutes is a wedged one (3.3). */
const STARTS_WITHIN_MS = 60_000;
const DELETE_MS = 30_000;
const DELETE_VERSION_MS = 5_000;
/** A wedged image was given up by the service after about this long (3.3). */
const WEDGE_MS = 15 * 3_600_000;
const UPDATABLE = ['CREATED', 'UPDATED', 'CREATE_FAILED', 'UPDATE_FAILED'];

/** Tells how MicroVMs hold on to images. */
export interface ImageUsers {
  /** Non-terminated MicroVMs of an image, or of one of its versions. */
  liveMicrovms(imageArn: string, imageVersion?: string): number;
}

/** Images, versions and builds: the operations of section 4 with the state machines of section 7. */
export class ImageStore {
  public readonly images = new Map<string, Image>();
  private readonly tokens = new IdempotencyTokens();

  constructor(
    private readonly context: Context,
    private readonly builds: ImageBuilds,
    private readonly buildPlans: Plans<BuildPlan>,
    private readonly deletionPlans: Plans<DeletionPlan>,
    private readonly users: ImageUsers,
  ) {
  }

  public create(input: Input): Document {
    checkShape('CreateMicrovmImage', input);
    const kept = this.tokens.find('CreateMicrovmImage', input);
    if (kept) {
      if (!this.images.has(input.name)) {
        this.resurrect(input);
      }
      return kept.response;
    }
    const { arns, managed, quotas, clock } = this.context;
    checkImageConfig(input, arns, managed);
    checkTagCount(input.tags ?? {});
    if (this.images.has(input.name)) {
      throw validationError(`A MicroVM image with the name '${input.name}' already exists in this account`);
    }
    if (this.images.size >= quotas.images) {
      throw quotaExceeded('You have exceeded the maximum number of MicroVM images for this account.');
    }
    this.checkBuildQuota();
    const image = new Image(input.name, arns.image(input.name), clock.now(), { ...input.tags });
    this.images.set(image.name, image);
    this.goStale(image, undefined);
    const response = { ...this.startBuild(image, input), tags: input.tags ?? null };
    this.tokens.keep('CreateMicrovmImage', input, response, image.id);
    return response;
  }

  public update(identifier: string, input: Input): Document {
    const name = this.context.arns.imageName(identifier, 'UpdateMicrovmImage');
    checkShape('UpdateMicrovmImage', input);
    const parameters = { ...input, imageIdentifier: identifier };
    const kept = this.tokens.find('UpdateMicrovmImage', parameters);
    if (kept) {
      return kept.response;
    }
    const image = this.existing(name);
    checkImageConfig(input, this.context.arns, this.context.managed);
    this.assertSettled(image);
    if (!UPDATABLE.includes(image.state)) {
      throw validationError('Cannot update MicroVM image in its current state: DELETION_FAILED -> UPDATING');
    }
    if (image.versions.length >= this.context.quotas.versionsPerImage) {
      throw quotaExceeded('You have exceeded the maximum number of versions for this MicroVM image.');
    }
    this.checkBuildQuota();
    this.goStale(image, imageDocument(image, this.context));
    image.settledState = image.state;
    image.state = 'UPDATING';
    const response = this.startBuild(image, input);
    this.tokens.keep('UpdateMicrovmImage', parameters, response, image.id);
    return response;
  }

  public get(identifier: string): Document {
    const name = this.context.arns.imageName(identifier, 'GetMicrovmImage');
    const image = this.existing(name);
    if (image.stale && image.stale.left > 0) {
      image.stale.left -= 1;
      if (!image.stale.answer) {
        throw this.missing(image.arn);
      }
      return image.stale.answer;
    }
    return imageDocument(image, this.context);
  }

  public list(query: Query): Page<Document> {
    const wanted = query.nameFilter === undefined ? '' : String(query.nameFilter);
    const result = page([...this.images.values()], query, (image) => image.name.includes(wanted));
    return { ...result, items: result.items.map((image) => imageSummary(image, this.context)) };
  }

  public delete(identifier: string): Document {
    const image = this.existing(this.context.arns.imageName(identifier, 'DeleteMicrovmImage'));
    if (['CREATING', 'UPDATING', 'DELETING'].includes(image.state)) {
      throw validationError(`Cannot delete MicroVM image in its current state: ${image.state}`);
    }
    if (this.users.liveMicrovms(image.arn) > 0) {
      throw validationError('Cannot delete microvm image with running microvms.');
    }
    this.goStale(image, imageDocument(image, this.context));
    const plan = this.deletionPlans.take(image.name) ?? {};
    image.state = 'DELETING';
    image.work = { kind: 'delete', plan, transition: this.transition(DELETE_MS, plan, 1) };
    this.touch(image);
    return { imageIdentifier: image.arn, state: 'DELETING' };
  }

  public getVersion(identifier: string, imageVersion: string): Document {
    const { image, version } = this.versionOf('GetMicrovmImageVersion', identifier, imageVersion);
    return versionDocument(image, version);
  }

  public listVersions(identifier: string, query: Query): Page<Document> {
    const image = this.existing(this.context.arns.imageName(identifier, 'ListMicrovmImageVersions'));
    const result = page(this.ordered(image.versions), query);
    return { ...result, items: result.items.map((version) => versionDocument(image, version)) };
  }

  public setVersionStatus(identifier: string, imageVersion: string, input: Input): Document {
    const { image, version } = this.versionOf('UpdateMicrovmImageVersion', identifier, imageVersion);
    checkShape('UpdateMicrovmImageVersion', input);
    this.assertSettled(image);
    if (version.state !== 'SUCCESSFUL') {
      throw validationError(`Cannot update the status of a MicroVM image version in its current state: ${version.state}`);
    }
    this.goStale(image, imageDocument(image, this.context));
    if (input.status === 'ACTIVE') {
      image.activate(version);
    } else {
      version.status = 'INACTIVE';
    }
    version.updatedAt = this.context.clock.now();
    return versionDocument(image, version);
  }

  public deleteVersion(identifier: string, imageVersion: string): Document {
    const { image, version } = this.versionOf('DeleteMicrovmImageVersion', identifier, imageVersion);
    this.assertSettled(image);
    if (image.state === 'DELETE_FAILED') {
      throw validationError('Cannot delete MicroVM image version in the current state of the image: DELETION_FAILED -> UPDATING');
    }
    if (image.versions.length === 1) {
      throw validationError('This is the last version. Please delete the entire image');
    }
    if (this.context.readings.versionInUseDeleteRefused && this.users.liveMicrovms(image.arn, imageVersion) > 0) {
      throw validationError('Cannot delete microvm image version with running microvms.');
    }
    this.goStale(image, imageDocument(image, this.context));
    const plan = this.deletionPlans.take(image.name, imageVersion) ?? {};
    image.work = { kind: 'delete-version', version, before: version.state, plan, transition: this.transition(DELETE_VERSION_MS, plan, 0.5) };
    image.settledState = image.state;
    image.state = 'UPDATING';
    version.state = 'DELETING';
    this.touch(image);
    return { imageIdentifier: image.arn, imageVersion, state: 'DELETING' };
  }

  public listBuilds(identifier: string, imageVersion: string, query: Query): Page<Document> {
    const { image, version } = this.versionOf('ListMicrovmImageBuilds', identifier, imageVersion);
    const matches = (wanted: unknown, actual: string) => wanted === undefined || wanted === actual;
    const builds = version.builds.filter((build) => matches(query.architecture, 'ARM_64') && matches(query.chipset, 'GRAVITON')
      && matches(query.chipsetGeneration, build.chipsetGeneration));
    const result = page(builds, query);
    return { ...result, items: result.items.map((build) => buildSummary(image, version, build)) };
  }

  public getBuild(identifier: string, imageVersion: string, buildId: string): Document {
    const { image, version } = this.versionOf('GetMicrovmImageBuild', identifier, imageVersion);
    const build = version.builds.find((each) => each.buildId === buildId);
    if (!build) {
      throw notFound(`MicroVMImageBuild not found for MicroVMImage: ${image.arn}, Version: ${imageVersion}, Build: ${buildId}`);
    }
    return buildDocument(image, version, build);
  }

  /** The image a tag call names. */
  public taggable(arn: string, operation: string): Image {
    if (!arn.includes(':microvm-image/') && !/^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:(network-connector|microvm-image):[a-zA-Z0-9\-_]+$/.test(arn)) {
      throw validationError(`1 validation error detected: Value '${arn}' at 'resource' failed to satisfy constraint: `
        + 'Member must satisfy regular expression pattern of a taggable resource');
    }
    return this.existing(this.context.arns.imageName(arn, operation));
  }

  /** One poller looked at (or knocked on) this image. */
  public countRead(name: string): void {
    this.images.get(name)?.work?.transition.countRead();
  }

  /**
   * Lets everything happen that has fallen due.
   *
   * @param patienceMs how long to wait, in real time, for what runs in the guests of a build
   */
  public async settle(patienceMs: number): Promise<void> {
    for (const image of [...this.images.values()]) {
      await this.settleImage(image, patienceMs);
    }
  }

  /** @throws the 404 of a missing image. */
  public existing(name: string): Image {
    const image = this.images.get(name);
    if (!image) {
      throw this.missing(this.context.arns.image(name));
    }
    return image;
  }

  private async settleImage(image: Image, patienceMs: number): Promise<void> {
    const { work } = image;
    if (!work) {
      return;
    }
    const progress = work.transition.progress(this.context.clock.now());
    if (work.kind === 'build') {
      const waited = this.context.clock.now() - work.version.createdAt;
      if ((progress >= 0.5 || waited >= STARTS_WITHIN_MS) && !work.started && !work.version.plan.wedged) {
        work.started = true;
        await this.builds.begin(image, work.version);
      }
      if (progress < 1 || !await this.builds.isDoneWithin(work.version, patienceMs)) {
        return;
      }
      const successful = await this.builds.finish(image, work.version);
      const first = image.state === 'CREATING';
      image.state = successful ? (first ? 'CREATED' : 'UPDATED') : (first ? 'CREATE_FAILED' : 'UPDATE_FAILED');
    } else if (progress < 1) {
      return;
    } else if (work.kind === 'delete') {
      if (work.plan.fails) {
        image.state = 'DELETE_FAILED';
      } else {
        this.images.delete(image.name);
      }
    } else {
      this.finishVersionDelete(image, work.version, work.before, work.plan.fails === true);
    }
    image.work = undefined;
    this.touch(image);
  }

  private finishVersionDelete(image: Image, version: ImageVersion, before: VersionState, fails: boolean): void {
    if (fails) {
      version.state = before;
      image.state = image.settledState;
      return;
    }
    image.removeVersion(version);
    const heals = image.settledState !== 'UPDATE_FAILED' || this.context.readings.failedVersionDeleteHeals;
    image.state = heals ? 'UPDATED' : image.settledState;
  }

  private startBuild(image: Image, input: Input): Document {
    const { clock } = this.context;
    const plan = this.buildPlans.take(image.name) ?? {};
    const version = image.addVersion(configOf(input, this.context), plan, clock.now());
    const transition = plan.wedged ? new Transition({ durationMs: WEDGE_MS }, clock.now()) : this.transition(BUILD_MS, plan, 1);
    image.work = { kind: 'build', version, transition, started: false };
    this.touch(image);
    return acceptedDocument(image, version, this.context);
  }

  /** A replayed create makes an image that waits for builds which never start (3.3). */
  private resurrect(input: Input): void {
    const image = new Image(input.name, this.context.arns.image(input.name), this.context.clock.now(), { ...input.tags });
    const version = image.addVersion(configOf(input, this.context), { wedged: true }, image.createdAt);
    image.work = { kind: 'build', version, transition: new Transition({ durationMs: WEDGE_MS }, image.createdAt), started: false };
    this.images.set(image.name, image);
  }

  private transition(durationMs: number, plan: { reads?: number; durationMs?: number }, readsFactor: number): Transition {
    return new Transition(spanOf(this.context, durationMs, plan, readsFactor), this.context.clock.now());
  }

  private checkBuildQuota(): void {
    const building = [...this.images.values()].filter((image) => image.work?.kind === 'build').length;
    if (building >= this.context.quotas.concurrentBuilds) {
      throw quotaExceeded('You have reached the maximum number of concurrent builds for this account.');
    }
  }

  private assertSettled(image: Image): void {
    if (['CREATING', 'UPDATING', 'DELETING'].includes(image.state)) {
      throw conflict(`MicroVM Image is already in state: ${image.state}`);
    }
  }

  private versionOf(operation: string, identifier: string, imageVersion: string): { image: Image; version: ImageVersion } {
    const name = this.context.arns.imageName(identifier, operation);
    const image = this.images.get(name);
    const version = image?.version(imageVersion);
    if (!image || !version) {
      throw notFound(`MicroVMImage not found for MicroVMImage: ${this.context.arns.image(name)}, Version: ${imageVersion}`);
    }
    return { image, version };
  }

  private ordered(versions: readonly ImageVersion[]): ImageVersion[] {
    const order = {
      'lexical': (a: ImageVersion, b: ImageVersion) => (a.imageVersion < b.imageVersion ? -1 : 1),
      'newest-first': (a: ImageVersion, b: ImageVersion) => b.major - a.major,
      'oldest-first': (a: ImageVersion, b: ImageVersion) => a.major - b.major,
    }[this.context.readings.versionOrder];
    return [...versions].sort(order);
  }

  private goStale(image: Image, answer: Document | undefined): void {
    image.stale = { answer, left: this.context.readings.staleReadsAfterWrite };
  }

  private touch(image: Image): void {
    image.updatedAt = this.context.clock.now();
  }

  private missing(arn: string) {
    return notFound(`MicroVMImage not found for MicroVMImageID: ${arn}`);
  }
}
