/** One break of a promise, made on purpose: some test must notice. */
export interface Mutation {
  /** What no longer holds. */
  readonly breaks: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Which tests to run. Default: those of the engine. */
  readonly tests?: string[];
}

const HANDLER = 'src/custom-resources/microvm-image/handler';
const COMMON = 'src/custom-resources/common/handler';
const SMOKE_TEST = 'src/custom-resources/microvm-smoke-test/handler';
const PUBLICATION = 'src/custom-resources/microvm-image-publication/handler';
const SMOKE_TESTS = ['test/custom-resources/microvm-smoke-test'];
const PUBLICATIONS = ['test/custom-resources/microvm-image-publication'];
/** The random kills of publishing and refreshing. */
const KILLS = ['test/custom-resources/golden-images/kills'];
const FAULTS = ['test/custom-resources/golden-images/faults'];
const WORKFLOW = 'src/constructs/private/refresh-workflow.ts';
const CONSTRUCTS = ['test/constructs', 'test/iam'];
const SOURCES = ['test/constructs/private/image-definition', 'test/iam/golden-image-source', 'test/constructs/microvm-image-(source|replica)'];
const EVENTS = ['test/custom-resources/microvm-image/build-events.test.ts'];

/** By promise; decisions/0001 says what each of them is. */
export const MUTATIONS: Record<string, Mutation[]> = {
  'E1 the error names the cause': [
    { breaks: 'the reason of a build', file: `${HANDLER}/failure.ts`, find: "reason: redact(build.reason ?? '', secrets)", replace: "reason: ''" },
    { breaks: 'the stage that failed', file: `${HANDLER}/failure.ts`, find: 'if (sizes.codeBytes === undefined) {', replace: 'if (sizes.codeBytes !== undefined) {' },
    { breaks: 'the end of the log', file: `${HANDLER}/sdk-adapter.ts`, find: '.slice(-LOG_LINES)', replace: '.slice(0, LOG_LINES)' },
    { breaks: 'one line without a stack', file: `${COMMON}/verdict.ts`, find: '    this.stack = message;', replace: '' },
    { breaks: 'the size of the answer', file: `${COMMON}/failure-text.ts`, find: 'const MAX_BYTES = 1_500;', replace: 'const MAX_BYTES = 15_000;' },
    { breaks: 'a fault of the service is not blamed on the Dockerfile', file: `${HANDLER}/build-hint.ts`, find: 'if (some(FAULT_OF_THE_SERVICE)) {', replace: 'if (some(/never/)) {' },
    { breaks: 'the artifact that could not be read', file: `${HANDLER}/build-hint.ts`, find: 'if ([READ_DENIED, NOT_THERE, NO_ARCHIVE].some(some)) {', replace: 'if (some(/never/)) {' },
    { breaks: 'what a Dockerfile says of S3 is its own failure', file: `${HANDLER}/build-hint.ts`, find: ' && !CONTAINER.test(reason)', replace: '' },
    { breaks: 'environment values stay out', file: `${COMMON}/failure-text.ts`, find: 'secret.length >= MIN_SECRET', replace: 'secret.length > 1_000' },
  ],
  'E2 a rollback never builds': [
    { breaks: 'the version before the last is remembered', file: `${HANDLER}/match.ts`, find: '[ledger.refreshed, ledger.served, ledger.previous]', replace: '[ledger.refreshed, ledger.served]' },
    { breaks: 'the failed version is cleared away', file: `${HANDLER}/decide-ensure.ts`, find: "image.state === 'UPDATE_FAILED' ? clearFailedVersion(seen.versions, ledger) : outdated", replace: 'outdated' },
    { breaks: 'a cancelled update does not displace what its rollback looks for', file: `${HANDLER}/notes.ts`, find: 'return stale ?? given.find((each) => replaced !== undefined && isOf(each, replaced)) ?? ledger.served;', replace: 'return stale ?? ledger.served;' },
    { breaks: 'a version nobody waited for is noted', file: `${HANDLER}/decide-ensure.ts`, find: 'tags: { ...final, set: { ...claim?.set, ...final.set } },', replace: 'tags: claim,' },
    { breaks: 'a version that could not be noted is noted before the next build', file: `${HANDLER}/notes.ts`, find: 'entry === undefined || entry === served || entry === previous || entry === refreshed ? {}', replace: 'entry !== "" ? {}' },
    { breaks: 'a follower gets the version rolled back to', file: `${HANDLER}/decide-ensure.ts`, find: 'request.desired.followLatest ? newerLaunchable(match, seen, now) : undefined', replace: 'undefined' },
  ],
  'E3 the exact version comes out': [
    { breaks: 'versions are numbers', file: `${COMMON}/versions.ts`, find: 'return majorA - majorB || minorA - minorB;', replace: 'return a < b ? -1 : 1;' },
    { breaks: 'the newest match is taken', file: `${HANDLER}/driver.ts`, find: 'compareVersions(b.version, a.version)', replace: 'compareVersions(a.version, b.version)' },
    { breaks: 'a retired version is activated before it is handed out', file: `${HANDLER}/decide-ensure.ts`, find: "  if (match.status === 'INACTIVE') {\n    return isBusy", replace: "  if (match.status === 'NEVER') {\n    return isBusy" },
  ],
  'E4 delete works, and on our own only': [
    { breaks: 'a foreign image is not deleted', file: `${HANDLER}/decide-delete.ts`, find: 'if (owner !== request.owner) {', replace: 'if (owner === "") {' },
    { breaks: 'a foreign image is not taken', file: `${HANDLER}/decide-ensure.ts`, find: '  return isOwn(image, request) || lostItsOwner', replace: '  return true || isOwn(image, request) || lostItsOwner' },
    { breaks: 'a delete waits until the image is gone', file: `${HANDLER}/decide-delete.ts`, find: "outcome: { type: 'wait', why: 'deleting the image' }", replace: "outcome: { type: 'done', why: 'deleting the image' }" },
    { breaks: 'MicroVMs are terminated only when asked', file: `${HANDLER}/decide-delete.ts`, find: 'if (request.runningMicrovms === RunningMicrovms.TERMINATE) {', replace: 'if (request.runningMicrovms !== undefined) {' },
    { breaks: 'an adopted image is released', file: `${HANDLER}/decide-delete.ts`, find: 'if (image.tags[Tag.ADOPTED] !== undefined) {', replace: "if (image.tags[Tag.ADOPTED] === 'never') {" },
    { breaks: 'an adopted image is marked before it is handed out', file: `${HANDLER}/driver.ts`, find: '!(Tag.ADOPTED in change.set) && ', replace: '' },
    { breaks: 'an empty map of tags is asked for once more', file: `${HANDLER}/sdk-adapter.ts`, find: 'Object.keys(image.tags ?? {}).length > 0 ? image.tags!', replace: 'image.tags ? image.tags' },
    { breaks: 'an image of a create that was cut short is found', file: `${HANDLER}/request.ts`, find: "const candidates = [physicalId(event), typeof ImageName === 'string' ? imageArnOf(event, ImageName) : ''];", replace: "const candidates = [physicalId(event), typeof ImageName === 'string' ? '' : ''];" },
    { breaks: 'a rename takes no tags from the image it comes to', file: `${HANDLER}/request.ts`, find: 'removedTags: isNew ? [] : ', replace: 'removedTags: ' },
  ],
  'E5 versions do not pile up': [
    { breaks: 'served and previous stay', file: `${HANDLER}/retention.ts`, find: '&& version !== ledger.served?.version && version !== ledger.previous?.version', replace: '' },
    { breaks: 'a version in use stays', file: `${HANDLER}/retention.ts`, find: '(microvmsOf[version] ?? []).length > 0', replace: '(microvmsOf[version] ?? []).length > 1_000' },
    { breaks: 'a published version stays', file: `${HANDLER}/retention.ts`, find: '!stock.published.includes(version)', replace: 'version !== ""' },
    { breaks: 'a published version stays when CloudFormation builds', file: `${HANDLER}/decide-upkeep.ts`, find: 'publishedVersions(image.tags)', replace: '[]' },
    { breaks: 'what is published stays so when an image is released', file: `${HANDLER}/decide-delete.ts`, find: 'key !== Tag.PUBLISHED && ', replace: '' },
    { breaks: 'a young version stays', file: `${HANDLER}/retention.ts`, find: 'now - supersededAt(version) >= LONGEST_LIFE', replace: 'now - supersededAt(version) >= 0' },
    { breaks: 'age yields before the quota', file: `${HANDLER}/retention.ts`, find: 'const crowded = versions.length >= CROWDED;', replace: 'const crowded = versions.length >= 500;' },
    { breaks: 'three at most a request', file: `${HANDLER}/decide-ensure.ts`, find: 'const MAX_PRUNED_PER_REQUEST = 3;', replace: 'const MAX_PRUNED_PER_REQUEST = 4;' },
  ],
  'E6 no needless build': [
    { breaks: '"1" equals "1.0"', file: `${HANDLER}/config.ts`, find: "return version.replace(/\\.0$/, '');", replace: 'return version;' },
    { breaks: 'a change of hooks builds', file: `${HANDLER}/config.ts`, find: "'hooks', 'logging',", replace: "'logging'," },
    { breaks: 'a change of memory builds', file: `${HANDLER}/config.ts`, find: "'minimumMemoryInMiB', ", replace: '' },
    { breaks: 'a new refresh token builds', file: `${HANDLER}/match.ts`, find: "const tokenIsNew = tokenHash !== '' &&", replace: "const tokenIsNew = tokenHash === 'never' &&" },
    { breaks: 'a base that can no longer be built on is refused', file: `${HANDLER}/base-images.ts`, find: "base.status === 'AVAILABLE' || base.status === 'DEPRECATED'", replace: "base.status !== 'NEVER'" },
  ],
  'E7 wedged, throttled, full': [
    { breaks: 'a full quota of builds is waited out', file: `${HANDLER}/refusal.ts`, find: 'return within(/concurrent/i.test(refusal.message) ? Limit.DEADLINE : Limit.RESERVED)', replace: 'return within(Limit.IAM_GRACE)' },
    { breaks: 'a 5xx is passing', file: `${COMMON}/sdk-call.ts`, find: 'status >= 500', replace: 'status > 599' },
    { breaks: 'a wedged build is reported after 10 minutes', file: `${HANDLER}/decision.ts`, find: 'WEDGED: 10 * MINUTE', replace: 'WEDGED: 100 * MINUTE' },
    { breaks: 'a delete that hangs is reported after 10 minutes', file: `${HANDLER}/decision.ts`, find: 'DELETE: 10 * MINUTE', replace: 'DELETE: 100 * MINUTE' },
    { breaks: 'an expired session of the function is passing', file: `${COMMON}/sdk-call.ts`, find: "  ExpiredTokenException: 'transient',\n", replace: '' },
    { breaks: 'our error comes before that of the framework', file: `${COMMON}/limits.ts`, find: 'DEADLINE = 55 * MINUTE', replace: 'DEADLINE = 75 * MINUTE' },
  ],
  'E8 interruption is harmless': [
    { breaks: 'an older request stops when a later one claims', file: `${HANDLER}/decision.ts`, find: 'return claimedLater && claimant !== request.requestId ? claim : undefined;', replace: 'return undefined;' },
    { breaks: 'nothing is built before it is claimed', file: `${HANDLER}/driver.ts`, find: "&& (decision.action === undefined || decision.action.type === 'deleteImage' || decision.outcome.type === 'done')", replace: '' },
    { breaks: 'a client token is of one attempt of one request', file: `${HANDLER}/decide-ensure.ts`, find: '`${request.requestId}/create/${now}`', replace: '`${request.imageName}/create`' },
    { breaks: 'a build has a token of its own', file: `${HANDLER}/decide-ensure.ts`, find: '`${request.requestId}/build/${failed.length + 1}`', replace: '`${request.imageName}/build`' },
    { breaks: 'tags that are late are waited for', file: `${HANDLER}/decision.ts`, find: 'TAGS_LAG: 20 * SECOND', replace: 'TAGS_LAG: 0' },
    { breaks: 'a tick ends before its function', file: `${COMMON}/lambda.ts`, find: 'const RESERVE_MS = 20_000;', replace: 'const RESERVE_MS = 0;' },
    { breaks: 'a surprise is no verdict', file: `${HANDLER}/driver.ts`, find: 'return this.clock() - request.acceptedAt < request.timeAllowed\n', replace: 'return this.clock() - request.acceptedAt < 0\n' },
  ],
  'least privilege and order': [
    { breaks: 'roles trust the service on behalf of this account only', file: 'src/constructs/private/service-role.ts', find: 'props.sourceAccountCondition ?? true', replace: 'props.sourceAccountCondition ?? false', tests: CONSTRUCTS },
    { breaks: 'images of other stacks are out of reach', file: 'src/custom-resources/microvm-image-provider.ts', find: 'conditions: carries(Tag.STACK),', replace: '', tests: CONSTRUCTS },
    { breaks: 'the image comes after the policy of its role', file: 'src/constructs/microvm-image.ts', find: 'grants.forEach((grant) => grant.applyBefore(resource));', replace: '', tests: CONSTRUCTS },
    { breaks: 'no MicroVM brings a deleted log group back', file: 'src/constructs/private/service-role.ts', find: "actions: ['logs:CreateLogStream', 'logs:PutLogEvents']", replace: "actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']", tests: CONSTRUCTS },
    { breaks: 'another stack never pins a version', file: 'src/constructs/microvm-image.ts', find: 'resource.applyCrossStackReferenceStrength(ReferenceStrength.WEAK);', replace: '', tests: CONSTRUCTS },
    { breaks: 'what does not fit into a role is no surprise', file: 'src/custom-resources/handler-provider.ts', find: 'return least > MAX_INLINE_POLICIES ?', replace: 'return least > 2 * MAX_INLINE_POLICIES ?', tests: ['test/constructs/handler-policy-size.test.ts'] },
    { breaks: 'attached policies count', file: 'src/custom-resources/handler-provider.ts', find: '    this.documents.push(policy.document);\n', replace: '', tests: ['test/constructs/handler-policy-size.test.ts'] },
  ],
  'Events and metrics of builds': [
    { breaks: 'a failed build is told', file: `${HANDLER}/driver.ts`, find: '[buildFailed(request, version, buildReasons({ builds, secrets }))]', replace: '[]', tests: EVENTS },
    { breaks: 'a pruned version is told', file: `${HANDLER}/driver.ts`, find: "action?.type === 'deleteVersion' ? action.version : undefined", replace: 'undefined', tests: EVENTS },
    { breaks: 'an event that cannot be put fails no deployment', file: `${COMMON}/announce.ts`, find: "log({ warning: 'event not put',", replace: "throw error; log({ warning: 'event not put',", tests: EVENTS },
    { breaks: 'an event has the same id when a step runs again', file: `${HANDLER}/build-events.ts`, find: 'occasion: String(createdAt)', replace: 'occasion: String(Math.random())', tests: EVENTS },
    { breaks: 'an entry that is refused is noticed', file: `${COMMON}/event-bridge.ts`, find: 'if (answer.FailedEntryCount || result?.ErrorCode) {', replace: 'if (false as boolean) {', tests: EVENTS },
    { breaks: 'an event holds no value of the environment', file: `${HANDLER}/build-events.ts`, find: 'reason: why.reason,', replace: 'reason: String(request.desired.environmentVariables.TOKEN),', tests: EVENTS },
    { breaks: 'nobody who asks for no events gets the permission', file: 'src/constructs/microvm-image.ts', find: 'if (props.eventBus) {', replace: 'if (props.imageName !== "") {', tests: CONSTRUCTS },
    { breaks: 'only events of this library may be put', file: 'src/constructs/private/image-events.ts', find: "conditions: { 'ForAllValues:StringEquals': { 'events:source': EVENT_SOURCE } },", replace: '', tests: CONSTRUCTS },
    { breaks: 'an alarm does not wait for the image', file: 'src/constructs/microvm-image.ts', find: 'return this.physicalName;\n  }', replace: 'return this.imageName;\n  }', tests: ['test/constructs/microvm-image-metrics.test.ts'] },
  ],
  'A base image refresh': [
    { breaks: 'a later deployment keeps it', file: `${HANDLER}/match.ts`, find: '[ledger.refreshed, ledger.served, ledger.previous]', replace: '[ledger.served, ledger.previous]' },
    { breaks: 'what consumers still have stays', file: `${HANDLER}/notes.ts`, find: 'return stale ?? given', replace: 'return given' },
    { breaks: 'it ends when a deployment claims', file: `${HANDLER}/decide-refresh.ts`, find: 'if (request !== refresh!.requestSeen) {', replace: 'if (request === "never") {' },
    { breaks: 'of two at once one ends', file: `${HANDLER}/decide-refresh.ts`, find: 'claim === refresh!.refreshSeen || ', replace: 'claim !== "never" || ' },
    { breaks: 'it does not begin before a deployment has handed out', file: `${HANDLER}/decide-refresh.ts`, find: 'return isOpen || image.state', replace: 'return image.state' },
    { breaks: 'it does not touch what deployments noted', file: `${HANDLER}/notes.ts`, find: 'if (request.refresh) {', replace: 'if (request.refresh?.token === "never") {' },
    { breaks: 'it makes no image', file: `${HANDLER}/decide-refresh.ts`, find: "image === undefined ? 'it is gone' : ", replace: 'image === undefined ? undefined : ' },
    { breaks: 'what was tested is what is noted', file: `${HANDLER}/match.ts`, find: 'if (refresh?.version !== undefined) {', replace: 'if (refresh?.version === "never") {' },
    { breaks: 'the refreshed version stays', file: `${HANDLER}/retention.ts`, find: ' && version !== ledger.refreshed?.version', replace: '' },
    { breaks: 'a pinned base image is refused', file: 'src/constructs/base-image-refresh.ts', find: 'if (version !== undefined) {', replace: 'if (version === "never") {', tests: CONSTRUCTS },
  ],
  'The upkeep of images that CloudFormation builds': [
    { breaks: 'MicroVMs live on when the upkeep leaves and the image stays', file: `${HANDLER}/decide-upkeep.ts`, find: '&& image?.tags[Tag.UPKEEP] === request.stack', replace: '' },
    { breaks: 'a tag that has just gone is waited for', file: `${HANDLER}/decide-upkeep.ts`, find: 'if (waited < Limit.TAGS_LAG) {', replace: 'if (waited < 0) {' },
    { breaks: 'MicroVMs are terminated only when asked', file: `${HANDLER}/decide-upkeep.ts`, find: ' || request.runningMicrovms !== RunningMicrovms.TERMINATE', replace: '' },
    { breaks: 'it waits for MicroVMs that are terminating', file: `${HANDLER}/driver.ts`, find: 'pinningMicrovms: await this.service.listMicrovmsOfVersion(imageArn),', replace: 'pinningMicrovms: await this.service.listLiveMicrovms(imageArn),' },
    { breaks: 'pruning fails no deployment', file: `${HANDLER}/driver.ts`, find: "request.kind === 'prune' && outcome.type === 'fail'", replace: "request.kind !== 'prune' && outcome.type === 'fail'" },
    { breaks: 'pruning ends when the last delete has settled', file: `${HANDLER}/decide-upkeep.ts`, find: "image.state === 'UPDATING' || image.state === 'CREATING' || versions.some(({ state }) => state === 'DELETING')", replace: 'image.state === "NEVER"' },
    { breaks: 'a retained image keeps its MicroVMs', file: 'src/constructs/private/image-upkeep.ts', find: 'deletionPolicy: props.image.cfnOptions.deletionPolicy,', replace: '', tests: CONSTRUCTS },
    { breaks: 'the base image is pinned', file: 'src/constructs/microvm-image-engine.ts', find: 'if (baseImageVersion === undefined) {', replace: 'if (baseImageVersion === "") {', tests: CONSTRUCTS },
  ],
  'golden images: a smoke test leaves nothing behind and believes nothing it did not see': [
    { breaks: 'a MicroVM that failed is terminated', file: `${SMOKE_TEST}/driver.ts`, find: 'if (step.microvm !== undefined) {', replace: 'if (step.microvm === null) {', tests: SMOKE_TESTS },
    { breaks: 'what an earlier run left is ended', file: `${SMOKE_TEST}/decide-test.ts`, find: 'if (leftovers.length > 0) {', replace: 'if (leftovers.length > 1_000) {', tests: SMOKE_TESTS },
    { breaks: 'only MicroVMs of the test are ended', file: `${SMOKE_TEST}/sdk-adapter.ts`, find: 'microvm?.executionRoleArn === executionRoleArn && ', replace: 'microvm !== undefined && ', tests: SMOKE_TESTS },
    { breaks: 'the status counts', file: `${SMOKE_TEST}/decide-test.ts`, find: 'if (response.status !== status) {', replace: 'if (response.status < 0) {', tests: SMOKE_TESTS },
    { breaks: 'a redirect is not followed', file: `${SMOKE_TEST}/sdk-adapter.ts`, find: "redirect: 'manual'", replace: "redirect: 'follow'", tests: SMOKE_TESTS },
    { breaks: 'a repeated launch launches nothing', file: `${SMOKE_TEST}/sdk-adapter.ts`, find: '      clientToken,\n', replace: '', tests: SMOKE_TESTS },
    { breaks: 'a version that passed is not tested again', file: `${SMOKE_TEST}/decide-test.ts`, find: ' || seen.passed.includes(request.entry)', replace: '', tests: SMOKE_TESTS },
    { breaks: 'another question is asked anew', file: `${SMOKE_TEST}/request.ts`, find: 'return hash(JSON.stringify(asked), 8);', replace: "return hash('', 8);", tests: SMOKE_TESTS },
  ],
  'golden images: a channel names what can be launched': [
    { breaks: 'a retired version is not published', file: `${PUBLICATION}/decide-version.ts`, find: " && version.status === 'ACTIVE'", replace: '', tests: PUBLICATIONS },
    { breaks: 'a name has one publisher', file: `${PUBLICATION}/decide-publication.ts`, find: 'claim !== undefined && claim.owner !== request.owner', replace: 'claim === null', tests: PUBLICATIONS },
    { breaks: 'a record is never changed', file: `${PUBLICATION}/decide-publication.ts`, find: 'record === undefined || !isOf(record, request, seen.version!)', replace: 'record === undefined', tests: PUBLICATIONS },
    { breaks: 'a record that a channel names stays', file: `${PUBLICATION}/decide-publication.ts`, find: '.filter((version) => !needed.includes(version))', replace: '.filter((version) => version !== publication.imageVersion)', tests: PUBLICATIONS },
    { breaks: 'a promotion needs a record', file: `${PUBLICATION}/decide-channel.ts`, find: 'if (record === undefined) {', replace: 'if (record === null) {', tests: PUBLICATIONS },
    { breaks: 'a channel that others moved is left to them', file: `${PUBLICATION}/decide-channel.ts`, find: 'versionOfPointer(seen.parameters[name]?.value) === imageVersion', replace: 'name in seen.parameters', tests: PUBLICATIONS },
    { breaks: 'a rename takes no channel of others', file: `${PUBLICATION}/request.ts`, find: 'old?.Root === decoded.root && Array.isArray(old.Channels)', replace: 'Array.isArray(old?.Channels)', tests: PUBLICATIONS },
    { breaks: 'a channel is moved by one construct', file: 'src/constructs/private/unique-names.ts', find: 'names.set(name, other ?? taker);', replace: '', tests: ['test/constructs/golden-image-bad-input'] },
    { breaks: 'a renamed publication keeps its protection', file: `${PUBLICATION}/decide-publication.ts`, find: 'seen.tags?.[PUBLISHED_AS_TAG] === root ?', replace: 'seen.tags?.[PUBLISHED_AS_TAG] ?', tests: PUBLICATIONS },
  ],
  'golden images: another account builds what the publisher does, and nobody else can read it': [
    { breaks: 'a digest does not depend on the order of keys', file: 'src/constructs/private/image-definition.ts', find: '.sort(([a], [b]) => (a < b ? -1 : 1))', replace: '', tests: SOURCES },
    { breaks: 'a definition that was changed by hand is refused', file: 'src/constructs/private/image-definition.ts', find: "text(raw, 'definitionDigest') !== digest", replace: "text(raw, 'definitionDigest') === ''", tests: SOURCES },
    { breaks: 'a field of a newer release is refused', file: 'src/constructs/private/image-definition.ts', find: 'if (unknown !== undefined) {', replace: "if (unknown === '') {", tests: SOURCES },
    { breaks: 'a pinned base image stays pinned', file: 'src/constructs/microvm-image-replica.ts', find: 'baseImageVersion === undefined ? image : image.pinned(baseImageVersion)', replace: 'image', tests: SOURCES },
    { breaks: 'a replica is built when its code is there', file: 'src/constructs/microvm-image-replica.ts', find: 'this._image.resource.node.addDependency(code.copy!);', replace: '', tests: SOURCES },
    { breaks: 'a definition is published after its version', file: 'src/constructs/microvm-image-source.ts', find: 'file.node.addDependency(code, publication);', replace: 'file.node.addDependency(code);', tests: SOURCES },
    { breaks: 'what only this deployment knows does not leave it', file: 'src/constructs/microvm-image-source.ts', find: '.flat().some(containsToken)', replace: '.flat().some((entry) => Token.isUnresolved(entry) && entry === value)', tests: SOURCES },
    { breaks: 'a source is not open to everybody', file: 'src/constructs/microvm-image-source-grants.ts', find: 'if (isEverybody && !isOfOrganization) {', replace: 'if (isEverybody && isOfOrganization) {', tests: SOURCES },
    { breaks: 'a reader gets one publication of a bucket', file: 'src/constructs/microvm-image-source-grants.ts', find: 'arnForObjects(`${this.publicationName}/*`)]', replace: "arnForObjects('*')]", tests: SOURCES },
    { breaks: 'the copy reaches one publication of a bucket', file: 'src/constructs/private/object-copier.ts', find: '/^(.*\\/)?/.exec(config.zipObjectKey)![0]', replace: "''", tests: SOURCES },
    { breaks: 'the copy reads zips only', file: 'src/constructs/private/object-copier.ts', find: '![0]}*.zip`', replace: '![0]}*`', tests: SOURCES },
    { breaks: 'the copy does not get what CDK would give it', file: 'src/constructs/private/object-copier.ts', find: 'this.role.withoutPolicyUpdates()', replace: 'this.role', tests: SOURCES },
  ],
  'golden images: whoever wants to hear of a publication does, once': [
    { breaks: 'what another request wrote is not told again', file: `${PUBLICATION}/publication-events.ts`, find: 'write.writtenAt >= acceptedAt - Limit.SKEW ? write', replace: 'write.writtenAt >= 0 ? write', tests: PUBLICATIONS },
    { breaks: 'an event comes after what it tells', file: `${PUBLICATION}/driver.ts`, find: "if (decision.type === 'done') {", replace: "if (decision.type === 'act') {", tests: PUBLICATIONS },
    { breaks: 'each move has an event of its own', file: `${PUBLICATION}/publication-events.ts`, find: 'occasion: `${parameterName}|${writtenAt}`', replace: 'occasion: parameterName', tests: PUBLICATIONS },
    { breaks: 'where a channel was is what it named', file: `${PUBLICATION}/publication-events.ts`, find: '`${parameterName}:${write.revision - 1}`', replace: 'parameterName', tests: PUBLICATIONS },
    { breaks: 'nobody who asks for no events gets any', file: `${PUBLICATION}/driver.ts`, find: '    if (eventBusArn === undefined) {\n', replace: '    if (eventBusArn === null) {\n', tests: PUBLICATIONS },
    { breaks: 'a publication puts no events before somebody wants them', file: 'src/constructs/microvm-image-publication.ts', find: '    if (props.eventBus) {\n', replace: '    if (props.publicationName) {\n', tests: ['test/constructs/microvm-publication-events.test.ts'] },
    { breaks: 'a rule hears of one channel', file: 'src/constructs/microvm-image-channel.ts', find: 'detail: { parameterName: [this.parameterName] }', replace: 'imageArn: this.imageArn', tests: ['test/constructs/microvm-publication-events.test.ts'] },
  ],
  'golden images: random kills of publishing and refreshing leave nothing lost and nothing half published': [
    { breaks: 'the record comes before the channel', file: `${PUBLICATION}/decide-publication.ts`, find: "return steps.length > 0 ? { type: 'act', steps }", replace: "return steps.length > 0 ? { type: 'act', steps: [...steps.filter(({ type }) => type === 'point'), ...steps.filter(({ type }) => type !== 'point')] }", tests: KILLS },
    { breaks: 'what is named is protected first', file: `${PUBLICATION}/decide-publication.ts`, find: '    ...protection(seen, root, imageVersion),\n', replace: '', tests: KILLS },
    { breaks: 'a retired version is not named', file: `${PUBLICATION}/decide-version.ts`, find: " && version.status === 'ACTIVE'", replace: '', tests: KILLS },
    { breaks: 'a record stays as long as a channel names it', file: `${PUBLICATION}/decide-publication.ts`, find: '.filter((version) => !needed.includes(version))', replace: '.filter((version) => version !== publication.imageVersion)', tests: KILLS },
    { breaks: 'a refresh publishes nothing over a deployment', file: `${PUBLICATION}/decide-publication.ts`, find: 'request.refresh.requestSeen !== claimant', replace: "request.refresh.requestSeen === 'never'", tests: KILLS },
    { breaks: 'a published version is not pruned', file: `${HANDLER}/retention.ts`, find: '!stock.published.includes(version)', replace: 'version !== ""', tests: KILLS },
    { breaks: 'the MicroVM of a killed test is ended', file: `${SMOKE_TEST}/decide-test.ts`, find: 'if (leftovers.length > 0) {', replace: 'if (leftovers.length > 1_000) {', tests: KILLS },
    { breaks: 'the MicroVM of a failed test is ended', file: `${SMOKE_TEST}/driver.ts`, find: 'if (step.microvm !== undefined) {', replace: 'if (step.microvm === null) {', tests: KILLS },
    { breaks: 'a version that fails its test is not published', file: `${SMOKE_TEST}/decide-test.ts`, find: 'if (response.status !== status) {', replace: 'if (response.status < 0) {', tests: KILLS },
    { breaks: 'a refresh tests before it publishes', file: WORKFLOW, find: 'isStillOurs(steps[0])', replace: 'isStillOurs(steps[steps.length - 1])', tests: KILLS },
    { breaks: 'a refresh hands the version it built on', file: WORKFLOW, find: "ResourceProperties: '{% $merge([$parse($properties), {\"ImageVersion\": $version}]) %}'", replace: "ResourceProperties: '{% $parse($properties) %}'", tests: KILLS },
    { breaks: 'a refresh that fails ends', file: WORKFLOW, find: "Assign: { failure: '{% $states.errorOutput %}' }, Next: 'Clear up' }", replace: "Assign: { failure: '{% $states.errorOutput %}' }, Next: 'Commit the version' }", tests: KILLS },
    { breaks: 'a refresh that fails gives the image back', file: WORKFLOW, find: "phase('ABANDON')", replace: "phase('CHECK')", tests: KILLS },
    { breaks: 'a refresh is noted for the deployments to come', file: `${HANDLER}/decide-ensure.ts`, find: 'phase === RefreshPhase.COMMIT ? refreshedTags', replace: 'phase === RefreshPhase.ABANDON ? refreshedTags', tests: KILLS },
    { breaks: 'the schedule is disabled after that many failures in a row, not before', file: WORKFLOW, find: "'TIMED_OUT']]) + 1 %}", replace: "'TIMED_OUT']]) + 2 %}", tests: KILLS },
    { breaks: 'a throttle at the first look is no failure', file: WORKFLOW, find: "ErrorEquals: ['Unavailable'], IntervalSeconds: 60, MaxAttempts: 5", replace: "ErrorEquals: ['Unavailable'], IntervalSeconds: 60, MaxAttempts: 0", tests: FAULTS },
    { breaks: 'a failure is told though the bus throttles', file: WORKFLOW, find: '    Retry: CALLED_AGAIN,\n    Catch: otherwise(next),', replace: '    Catch: otherwise(next),', tests: FAULTS },
    { breaks: 'a failed version is not left by the next build', file: `${HANDLER}/decide-ensure.ts`, find: 'clearFailedVersion(seen.versions, ledger) : outdated', replace: 'clearFailedVersion(seen.versions, ledger) : undefined', tests: KILLS },
  ],
};
