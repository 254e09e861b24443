// socket.io: `io.emit`, WebSocket transport only, each event a JSON object.
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { obey, say } from './driving.mjs'

const http = createServer()
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false, pingInterval: 3_600_000 })
http.listen({ host: '127.0.0.1', port: 0, backlog: 2048 }, () => say({ port: http.address().port }))

function emit(texts) {
  for (const text of texts) io.emit('event', JSON.parse(text))
}

await obey(emit, () => [...io.sockets.sockets.values()].map((socket) => socket.conn.transport.socket._socket))
