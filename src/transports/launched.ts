/**
 * What brings workers up outside of this process, and runs their work. It is loaded when the first of that is needed, all at once: most
 * programs that import the package start nothing outside of themselves (0025).
 */
export { runCheck } from './commands/check-runner.ts'
export { checkStart } from './commands/check-start.ts'
export { createCommandChannel } from './commands/command-channel.ts'
export { inherited, inputPath } from './commands/command-launch.ts'
export { finalFailure, hostFailure } from './commands/command-outcome.ts'
export { commandStart } from './commands/command-start.ts'
export { createContainerClient, reapContainers } from './containers/container-client.ts'
export { createImageKeeper } from './containers/container-images.ts'
export { containerName, labelsOf, runInContainer } from './containers/container-run.ts'
export { fleetUser, nobody } from './containers/container-user.ts'
export { removeMemoryFolders } from './containers/memory-folder.ts'
export { createPool } from './programs/pool.ts'
export { startThread } from './programs/thread-worker.ts'
export { startWorkerProgram } from './programs/worker-program.ts'
export { sshCheckStart, sshCommandStart } from './ssh/ssh-commands.ts'
export { openSshLink } from './ssh/ssh-link.ts'
export { startOverSsh } from './ssh/ssh-worker.ts'
