import { statfsSync } from 'node:fs'
import { availableParallelism, loadavg, platform, totalmem } from 'node:os'

/** File systems by the number that statfs gives. */
const fileSystems = { 0xef53: 'ext4', 0x01021994: 'tmpfs', 0x9123683e: 'btrfs', 0x58465342: 'xfs', 0x794c7630: 'overlayfs' }
const platforms = { linux: 'Linux', darwin: 'macOS' }

/** The class of machine that is measured on, and the disk that the folder lies on. */
export function machineOf(folder) {
  const { type } = statfsSync(folder)
  const [major, minor] = process.versions.node.split('.')
  return {
    cores: availableParallelism(),
    platform: platforms[platform()] ?? platform(),
    file_system: fileSystems[type] ?? `file system 0x${type.toString(16)}`,
    node: `${major}.${minor}`,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    load: Number(loadavg()[0].toFixed(1)),
  }
}

/** Whether other work took a part of the machine when the bench began. */
export function isBusy({ cores, load }) {
  return load > cores / 4
}

/** The machine in words. */
export function machineInWords({ cores, platform: system, file_system: disk, node }) {
  return `${cores}-core ${system} machine, ${disk}, Node ${node}`
}
