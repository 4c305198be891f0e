import type { Disk } from './disk.ts'
import type { Layout } from './layout.ts'
import type { RunHead } from './run-heads.ts'

/** The folders of removed runs: each goes once its run's tombstone is durable, or at the next opening (RU8). */
export class RemovedFolders {
  readonly #disk: Disk
  readonly #layout: Layout
  readonly #leaving = new Set<string>()

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk
    this.#layout = layout
  }

  /** Whether a folder may still be there: then the tombstone stays at hand, to be seen at the next opening. */
  isLeaving(run: string): boolean {
    return this.#leaving.has(run)
  }

  /** Where the folder cannot be removed the run is gone all the same, and the next opening tries again. */
  async remove(run: string, bury: () => Promise<void>): Promise<void> {
    this.#leaving.add(run)
    await bury()
    const isGone = await this.#disk.removeFolder(this.#layout.run(run)).then(
      () => true,
      () => false,
    )
    if (isGone) this.#leaving.delete(run)
  }

  /** Removes what a crash left. */
  async sweep(heads: Iterable<RunHead>): Promise<void> {
    for (const { run, removed } of heads)
      if (removed === true && this.#disk.exists(this.#layout.run(run)))
        await this.#disk.removeFolder(this.#layout.run(run)).catch(() => undefined)
  }
}
