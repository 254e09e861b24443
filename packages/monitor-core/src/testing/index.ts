/** A server and an environment for tests, without sockets and without time. */

export { FakeEnvironment } from './fakeEnvironment'
export { FakeConnection, FakeServer, type LoggedEvent } from './fakeServer'
