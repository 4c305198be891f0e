import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the `//=>` comments of a program promise that it prints, in order. */
export function promisedLines(source: string): string[] {
  return [...source.matchAll(/\/\/=> ?(.*)$/gm)].map(([, line = '']) => line.trimEnd())
}

/** What a TypeScript program prints, line by line, when it imports the package by its name. */
export async function printedLines(file: string, options: { readonly cwd?: string } = {}): Promise<string[]> {
  const tsx = fileURLToPath(import.meta.resolve('tsx'))
  const { stdout } = await run(process.execPath, ['-C', 'flotilla-source', '--import', tsx, file], {
    cwd: options.cwd ?? root,
    timeout: 60_000,
  })
  return stdout.trimEnd().split('\n')
}
