// ws: `client.send(text)` to each, as its documentation shows; with `prepared`, frames made once and written joined.
import { Sender, WebSocketServer } from 'ws'
import { ANSWER, obey, say } from './driving.mjs'

const prepared = process.argv[4] === 'prepared'
const clients = []
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 2048, perMessageDeflate: false })

server.on('connection', (client) =>
  client.once('message', () => {
    clients.push(client)
    client.send(ANSWER)
  }),
)
server.on('listening', () => say({ port: server.address().port }))

function sendToEach(texts) {
  for (const text of texts) for (const client of clients) client.send(text)
}

function writeJoined(texts) {
  const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }
  const frames = Buffer.concat(texts.flatMap((text) => Sender.frame(Buffer.from(text), options)))
  for (const client of clients) client._socket.write(frames)
}

await obey(prepared ? writeJoined : sendToEach, () => clients.map((client) => client._socket))
