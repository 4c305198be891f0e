import { createTemporaryFolder } from '../host/temporary-folder.ts'

/** The folder that holds the folders of attempts. */
export interface AttemptsFolder {
  /** Its absolute path. */
  open(): Promise<string>
  /** Removes it, if it was made for this fleet alone. */
  remove(): Promise<void>
}

/** That of the store; a store without one gets a temporary folder, unless the files are not those of the machine. */
export function createAttemptsFolder(ofStore: string | undefined, isElsewhere: boolean): AttemptsFolder {
  let temporary: Awaited<ReturnType<typeof createTemporaryFolder>> | undefined
  return {
    async open() {
      if (ofStore !== undefined) return ofStore
      if (isElsewhere) return '/fleet'
      temporary = await createTemporaryFolder()
      return temporary.path
    },
    remove: async () => temporary?.remove(),
  }
}
