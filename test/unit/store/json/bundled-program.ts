import { basename, join } from 'node:path'
import { build } from 'esbuild'

/** A program in one file of a folder, so that most of the life of a process that is killed soon is work, not its start. */
export async function bundledProgram(program: string, folder: string): Promise<string> {
  const outfile = join(folder, `${basename(program, '.ts')}.mjs`)
  await build({
    entryPoints: [program],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
    // What is bundled of CommonJS asks for modules of Node.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'\nconst require = requireFrom(import.meta.url)" },
  })
  return outfile
}
