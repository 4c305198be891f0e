#!/usr/bin/env node
import { runCommandLine } from './cli.ts'
import { systemTerminal } from './terminal.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), systemTerminal())
