/** A server and an environment for tests, without sockets and without time. */

export { FakeBrowser, FakePage } from './fakeBrowser'
export { FakeEnvironment } from './fakeEnvironment'
export { FakeConnection, FakeServer, type LoggedEvent } from './fakeServer'
export { generator } from './random'
