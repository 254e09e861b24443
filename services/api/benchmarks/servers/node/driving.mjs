// Obeys the command of every measured server, as benchmarks/servers/driving.py does: `fan-out <batch> <seconds>`.
//
// An event is `head`, a running number, `tail`: the first two arguments.
import { createInterface } from 'node:readline'

const [, , head, tail] = process.argv
let made = 0

/** What a client is told when its subscription is in force. */
export const ANSWER = '{"type":"system:subscribed"}'

export const say = (answer) => console.log(JSON.stringify(answer))

/** Call `publish(texts)`, then wait until no socket of `sockets()` holds bytes; again and again, as commanded. */
export async function obey(publish, sockets) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [, batch, seconds] = line.split(' ').map(Number)
    say(await fanOut(publish, sockets, batch, seconds))
  }
  process.exit()
}

async function fanOut(publish, sockets, batch, seconds) {
  let events = 0
  const began = process.hrtime.bigint()
  const beganCpu = process.cpuUsage()
  while (process.hrtime.bigint() - began < BigInt(Math.round(seconds * 1e9))) {
    publish(Array.from({ length: batch }, () => head + ++made + tail))
    await turn()
    while (sockets().some((socket) => socket.writableLength > 0)) await turn()
    events += batch
  }
  const cpu = process.cpuUsage(beganCpu)
  return { events, cpu_ns: (cpu.user + cpu.system) * 1000, wall_ns: Number(process.hrtime.bigint() - began) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
