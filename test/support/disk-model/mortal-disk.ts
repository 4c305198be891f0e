import type { Disk } from '../../../src/store/json/disk.ts'

/** A disk as one process has it, which ends at its call number `last`: from then on the process does nothing any more. */
export function mortalDisk(disk: Disk, last: number): { readonly disk: Disk; readonly calls: () => number } {
  let calls = 0
  const mortal = <Port extends object>(port: Port): Port =>
    Object.fromEntries(
      Object.entries(port)
        .filter(([, method]) => typeof method === 'function')
        .map(([name, method]: [string, (...args: unknown[]) => unknown]) => [
          name,
          (...args: unknown[]) => {
            if (name === 'turn') return method(...args)
            if (name !== 'close') calls += 1
            if (calls > last) throw new Error('this process was killed')
            return method(...args)
          },
        ]),
    ) as Port
  const whole = mortal(disk)
  return {
    disk: { ...whole, open: async (path, options) => mortal(await whole.open(path, options)) },
    calls: () => calls,
  }
}
