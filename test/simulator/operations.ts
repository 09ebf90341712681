import { Context } from './context';
import { seconds } from './image-documents';
import { ImageStore } from './image-store';
import { ImageTags } from './image-tags';
import { MicrovmStore } from './microvm-store';
import { page } from './paging';
import { notFound } from './service-error';

/** One call, taken apart. */
export interface Invocation {
  /** Decoded path labels in their order. */
  readonly labels: readonly string[];
  readonly query: Record<string, string | string[]>;
  readonly body: Record<string, any>;
}

/** An action and resource IAM would check for a call (9.3). */
export interface Requirement { readonly action: string; readonly resource: string }

export interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: RegExp;
  readonly status: number;
  handle(call: Invocation): unknown;
  /** ARN that IAM authorises the call against, or `*`. */
  resource(call: Invocation): string;
}

export class Operations {
  public readonly all: readonly Operation[];

  constructor(
    private readonly context: Context,
    private readonly images: ImageStore,
    private readonly tags: ImageTags,
    private readonly microvms: MicrovmStore,
  ) {
    this.all = [...this.imageOperations(), ...this.managedOperations(), ...this.tagOperations(), ...this.microvmOperations()];
  }

  /** Everything IAM checks for a call: the action itself, then the roles, connectors and tags it passes. */
  public requirements(operation: Operation, call: Invocation): Requirement[] {
    const { body } = call;
    const required: Requirement[] = [{ action: `lambda:${operation.name}`, resource: operation.resource(call) }];
    const configures = ['CreateMicrovmImage', 'UpdateMicrovmImage'].includes(operation.name);
    const role = configures ? body.buildRoleArn : operation.name === 'RunMicrovm' ? body.executionRoleArn : undefined;
    if (role) {
      required.push({ action: 'iam:PassRole', resource: role });
    }
    if (configures || operation.name === 'RunMicrovm') {
      this.connectors(operation.name, body).forEach((resource) => required.push({ action: 'lambda:PassNetworkConnector', resource }));
    }
    if (operation.name === 'CreateMicrovmImage' && Object.keys(body.tags ?? {}).length > 0) {
      required.push({ action: 'lambda:TagResource', resource: this.context.arns.image(body.name) });
    }
    return required;
  }

  /** Connectors a call passes, the service's defaults among them. */
  private connectors(operation: string, body: Record<string, any>): string[] {
    const { arns } = this.context;
    const given = (list: string[] | null | undefined, fallback: string[]) => list && list.length > 0 ? list : fallback;
    const internet = [arns.managedConnector('INTERNET_EGRESS')];
    if (operation !== 'RunMicrovm') {
      return given(body.egressNetworkConnectors, internet);
    }
    const image = [...this.images.images.values()].find(({ arn }) => arn === body.imageIdentifier);
    const version = body.imageVersion ? image?.version(body.imageVersion) : image?.newestActive();
    return [
      ...given(body.ingressNetworkConnectors, [arns.managedConnector('HTTP_INGRESS')]),
      ...given(body.egressNetworkConnectors, version?.config.egressNetworkConnectors ?? internet),
    ];
  }

  private imageOperations(): Operation[] {
    const { images } = this;
    const root = '/2025-09-09/microvm-images';
    const image = `${root}/([^/]+)`;
    const version = `${image}/versions/([^/]+)`;
    const onImage = { resource: ({ labels }: Invocation) => labels[0] };
    return [
      define('CreateMicrovmImage', 'POST', root, { status: 201, resource: () => '*', handle: ({ body }) => images.create(body) }),
      define('ListMicrovmImages', 'GET', root, { resource: () => '*', handle: ({ query }) => images.list(query) }),
      define('GetMicrovmImage', 'GET', image, { ...onImage, handle: ({ labels }) => images.get(labels[0]) }),
      define('UpdateMicrovmImage', 'PUT', image, { ...onImage, handle: ({ labels, body }) => images.update(labels[0], body) }),
      define('DeleteMicrovmImage', 'DELETE', image, { ...onImage, handle: ({ labels }) => images.delete(labels[0]) }),
      define('ListMicrovmImageVersions', 'GET', `${image}/versions`, { ...onImage, handle: ({ labels, query }) => images.listVersions(labels[0], query) }),
      define('GetMicrovmImageVersion', 'GET', version, { ...onImage, handle: ({ labels }) => images.getVersion(labels[0], labels[1]) }),
      define('UpdateMicrovmImageVersion', 'PATCH', version, { ...onImage, handle: ({ labels, body }) => images.setVersionStatus(labels[0], labels[1], body) }),
      define('DeleteMicrovmImageVersion', 'DELETE', version, { ...onImage, handle: ({ labels }) => images.deleteVersion(labels[0], labels[1]) }),
      define('ListMicrovmImageBuilds', 'GET', `${version}/builds`, {
        ...onImage, handle: ({ labels, query }) => images.listBuilds(labels[0], labels[1], query),
      }),
      define('GetMicrovmImageBuild', 'GET', `${version}/builds/([^/]+)`, {
        ...onImage, handle: ({ labels }) => images.getBuild(labels[0], labels[1], labels[2]),
      }),
    ];
  }

  private managedOperations(): Operation[] {
    const { managed } = this.context;
    const root = '/2025-09-09/managed-microvm-images';
    const item = (createdAt: number, updatedAt = createdAt) => (
      { imageArn: managed.arn, createdAt: seconds(createdAt), updatedAt: seconds(updatedAt) }
    );
    return [
      define('ListManagedMicrovmImages', 'GET', root, {
        resource: () => '*', handle: ({ query }) => page([item(managed.versions[managed.versions.length - 1].createdAt)], query),
      }),
      define('ListManagedMicrovmImageVersions', 'GET', `${root}/([^/]+)/versions`, {
        resource: ({ labels }) => labels[0],
        handle: ({ labels, query }) => {
          if (labels[0] !== managed.arn) {
            throw notFound(`MicroVMImage not found for MicroVMImageID: ${labels[0]}`);
          }
          return page(managed.versions.map(({ imageVersion, createdAt, updatedAt, status }) => (
            { ...item(createdAt, updatedAt), imageVersion, status }
          )), query);
        },
      }),
    ];
  }

  private tagOperations(): Operation[] {
    const path = '/2017-03-31/tags/([^/]+)';
    const resource = ({ labels }: Invocation) => labels[0];
    return [
      define('ListTags', 'GET', path, { resource, handle: ({ labels }) => this.tags.list(labels[0]) }),
      define('TagResource', 'POST', path, { resource, status: 204, handle: ({ labels, body }) => this.tags.tag(labels[0], body) }),
      define('UntagResource', 'DELETE', path, {
        resource, status: 204, handle: ({ labels, query }) => this.tags.untag(labels[0], [query.tagKeys ?? []].flat()),
      }),
    ];
  }

  private microvmOperations(): Operation[] {
    const { microvms } = this;
    const root = '/2025-09-09/microvms';
    const microvm = `${root}/([^/]+)`;
    // Instance calls authorise on the image of the MicroVM (9.3).
    const onMicrovm = { resource: ({ labels }: Invocation) => microvms.microvms.get(labels[0])?.launch.image.arn ?? '*' };
    return [
      define('RunMicrovm', 'POST', root, { resource: ({ body }) => String(body.imageIdentifier ?? '*'), handle: ({ body }) => microvms.run(body) }),
      define('ListMicrovms', 'GET', root, { resource: () => '*', handle: ({ query }) => microvms.list(query) }),
      define('GetMicrovm', 'GET', microvm, { ...onMicrovm, handle: ({ labels }) => microvms.get(labels[0]) }),
      define('TerminateMicrovm', 'DELETE', microvm, { ...onMicrovm, handle: ({ labels }) => microvms.terminate(labels[0]) }),
      define('SuspendMicrovm', 'POST', `${microvm}/suspend`, { ...onMicrovm, handle: ({ labels }) => microvms.suspend(labels[0]) }),
      define('ResumeMicrovm', 'POST', `${microvm}/resume`, { ...onMicrovm, handle: ({ labels }) => microvms.resume(labels[0]) }),
      define('CreateMicrovmAuthToken', 'POST', `${microvm}/auth-token`, {
        ...onMicrovm, handle: ({ labels, body }) => microvms.createAuthToken(labels[0], body),
      }),
      define('CreateMicrovmShellAuthToken', 'POST', `${microvm}/shell-auth-token`, {
        ...onMicrovm, handle: ({ labels, body }) => microvms.createShellAuthToken(labels[0], body),
      }),
    ];
  }
}

function define(name: string, method: string, path: string, rest: Pick<Operation, 'resource' | 'handle'> & { status?: number }): Operation {
  return { name, method, path: new RegExp(`^${path}/?$`), status: 200, ...rest };
}
