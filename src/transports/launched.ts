/**
 * What brings workers up outside of the fleet's own code, and runs commands: processes, threads, containers, other hosts, and the lines of workers
 * that dial in. It is loaded by `late.ts` when the first of that is needed, all at once: most programs that import the package need none of it.
 */
export { inherited } from './commands/command-launch.ts'
export { localCommands } from './commands/local-commands.ts'
export { commandsInContainers } from './containers/commands-in-containers.ts'
export { createContainerClient, reapContainers } from './containers/container-client.ts'
export { createImageKeeper } from './containers/container-images.ts'
export { containerName, labelsOf } from './containers/container-run.ts'
export { fleetUser, nobody } from './containers/container-user.ts'
export { createPool } from './programs/pool.ts'
export { startThread } from './programs/thread-worker.ts'
export { startWorkerProgram } from './programs/worker-program.ts'
export { openSession } from './session/worker-session.ts'
export { commandsOverSsh } from './ssh/commands-over-ssh.ts'
export { startOverSsh } from './ssh/ssh-worker.ts'
