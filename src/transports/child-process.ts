/** What starts programs, asked of the process when one is started: a fleet of functions starts none. */
export const childProcess = () => process.getBuiltinModule('node:child_process')
