import { readdir, readFile } from 'node:fs/promises'

const closeOnExec = 0o2000000

/**
 * Descriptors from 3 that every child of this process would inherit: this process got them from whoever started it, or native code opened
 * them. Those that Node opens itself are closed when a child begins.
 */
export async function leakedDescriptors(): Promise<readonly number[]> {
  const names = await readdir('/proc/self/fd')
  const leaked = await Promise.all(
    names.map(Number).map(async (descriptor) => {
      // Unreadable: the one that read the folder, closed since.
      const facts = await readFile(`/proc/self/fdinfo/${descriptor}`, 'utf8').catch(() => undefined)
      const flags = /^flags:\s*([0-7]+)$/m.exec(facts ?? '')?.[1]
      return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0 ? [descriptor] : []
    }),
  )
  return leaked.flat().filter((descriptor) => descriptor > 2)
}
