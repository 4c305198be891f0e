import type { Disk } from '../../../../src/store/json/disk.ts'

/** A disk that holds these files, by path, and can only be read. */
export function memoryDisk(files: Readonly<Record<string, string | Buffer>>): Disk {
  const bytesOf = (path: string) => (files[path] === undefined ? undefined : Buffer.from(files[path]))
  const reading: Partial<Disk> = {
    read: async (path, from = 0, to = Infinity) => bytesOf(path)?.subarray(from, to) ?? Buffer.alloc(0),
    facts: async (path) => {
      const size = bytesOf(path)?.length
      return size === undefined ? undefined : { size, modifiedAt: 0 }
    },
    exists: (path) => files[path] !== undefined,
    remains: (path) => files[path] !== undefined,
    list: async (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1))
        .toSorted(),
    turn: async () => undefined,
  }
  return reading as Disk
}
