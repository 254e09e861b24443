/** Run the soak of the Live page. Vite translates it: Node alone reads no TypeScript with parameter properties. */
import { join } from 'node:path'
import { argv, exit } from 'node:process'
import { runnerImport } from 'vite'

const { module } = await runnerImport(join(import.meta.dirname, 'liveMonitor.ts'), { configFile: false })
exit(await module.main(argv.slice(2)))
