/** The machines that the filter is written for, by Node's names. */
export type Architecture = 'x64' | 'arm64'

/** How the kernel names an architecture to a filter (`AUDIT_ARCH_…`). */
export const auditNames: Readonly<Record<Architecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 }

/** The newest system call that the tables below were written with (`mseal`). What is newer is refused: nobody has looked at it. */
export const newestCall = 462

/** Numbers of a system call; `none` where an architecture does not have it. */
export type CallNumbers = readonly [x64: number, arm64: number | 'none']

export const errors = { notPermitted: 1, notImplemented: 38, familyNotSupported: 97 } as const

interface Refusals {
  /** Why nobody in a sandbox needs them. */
  readonly because: string
  readonly errno: number
  readonly calls: Readonly<Record<string, CallNumbers>>
}

/** System calls that a sandbox refuses whatever their arguments are. */
export const refusedCalls: readonly Refusals[] = [
  {
    because: 'they change what a process sees of the machine',
    errno: errors.notPermitted,
    calls: {
      unshare: [272, 97], setns: [308, 268], mount: [165, 40], umount2: [166, 39], pivot_root: [155, 41], chroot: [161, 51],
      fsopen: [430, 430], fsconfig: [431, 431], fsmount: [432, 432], fspick: [433, 433], move_mount: [429, 429],
      open_tree: [428, 428], mount_setattr: [442, 442], swapon: [167, 224], swapoff: [168, 225], quotactl: [179, 60],
      quotactl_fd: [443, 443], acct: [163, 89],
    },
  },
  {
    because: 'they reach into other processes',
    errno: errors.notPermitted,
    calls: {
      ptrace: [101, 117], process_vm_readv: [310, 270], process_vm_writev: [311, 271], process_madvise: [440, 440],
      process_mrelease: [448, 448], kcmp: [312, 272], pidfd_getfd: [438, 438],
    },
  },
  {
    because: 'they speak to rarely used and often broken parts of the kernel',
    errno: errors.notPermitted,
    calls: {
      bpf: [321, 280], perf_event_open: [298, 241], userfaultfd: [323, 282], kexec_load: [246, 104], kexec_file_load: [320, 294],
      init_module: [175, 105], finit_module: [313, 273], delete_module: [176, 106], create_module: [174, 'none'],
      query_module: [178, 'none'], get_kernel_syms: [177, 'none'], reboot: [169, 142], syslog: [103, 116],
      lookup_dcookie: [212, 18], nfsservctl: [180, 42], iopl: [172, 'none'], ioperm: [173, 'none'], modify_ldt: [154, 'none'],
      uselib: [134, 'none'], sysfs: [139, 'none'], _sysctl: [156, 'none'], vhangup: [153, 58], add_key: [248, 217],
      request_key: [249, 218], keyctl: [250, 219],
    },
  },
  {
    because: 'they open files past their paths, watch all of them, or make fifos and devices',
    errno: errors.notPermitted,
    calls: {
      open_by_handle_at: [304, 265], name_to_handle_at: [303, 264], fanotify_init: [300, 262], fanotify_mark: [301, 263],
      mknod: [133, 'none'], mknodat: [259, 33],
    },
  },
  {
    because: 'they set the clock, the name or the memory policy of the machine',
    errno: errors.notPermitted,
    calls: {
      settimeofday: [164, 170], clock_settime: [227, 112], clock_adjtime: [305, 266], adjtimex: [159, 171],
      sethostname: [170, 161], setdomainname: [171, 162], move_pages: [279, 239], migrate_pages: [256, 238], mbind: [237, 235],
      set_mempolicy: [238, 237], set_mempolicy_home_node: [450, 450],
    },
  },
  {
    because: 'they hold memory that no limit of a process counts',
    errno: errors.notImplemented,
    calls: { memfd_create: [319, 279], memfd_secret: [447, 447], shmget: [29, 194], msgget: [68, 186] },
  },
  {
    because: 'a filter cannot see what they do: programs fall back to calls that it sees',
    errno: errors.notImplemented,
    calls: {
      io_uring_setup: [425, 425], io_uring_enter: [426, 426], io_uring_register: [427, 427], clone3: [435, 435],
      openat2: [437, 437],
    },
  },
] // prettier-ignore

/** A system call that is judged by some bits of one argument. */
export interface JudgedCall {
  readonly numbers: CallNumbers
  /** Index of the argument, 0–5; its low 32 bits are looked at. */
  readonly argument: number
  readonly mask: number
  readonly values: readonly number[]
  /** Whether these values are the only ones that are allowed, or the only ones that are refused. */
  readonly are: 'allowed' | 'refused'
  /** It is judged only when one of these bits of another argument is set. */
  readonly when?: { readonly argument: number; readonly mask: number }
  readonly errno: number
}

const allBits = 0xffff_ffff

/** Every flag of `clone` that asks for a namespace. */
const namespaceFlags = 0x7e02_0000

/** Makes a file run with the rights of its owner, who may be the user of the fleet. */
const ownersRights = { mask: 0o6000, values: [0], are: 'allowed', errno: errors.notPermitted } as const

/** O_CREAT, and the bits of O_TMPFILE. */
const whenCreated = 0o20_000_100

export const judgedCalls: Readonly<Record<string, JudgedCall>> = {
  /** AF_INET and AF_INET6. A unix socket would reach servers of the host by their files, and netlink, vsock and packets the kernel. */
  socket: { numbers: [41, 198], argument: 0, mask: allBits, values: [2, 10], are: 'allowed', errno: errors.familyNotSupported },
  /** SOCK_STREAM and SOCK_SEQPACKET: a pair of datagram sockets can be turned to the host's sockets. */
  socketpair: { numbers: [53, 199], argument: 1, mask: 0xf, values: [1, 5], are: 'allowed', errno: errors.notPermitted },
  clone: { numbers: [56, 220], argument: 0, mask: namespaceFlags, values: [0], are: 'allowed', errno: errors.notPermitted },
  /** TIOCSTI and TIOCLINUX type into a terminal. */
  ioctl: { numbers: [16, 29], argument: 1, mask: allBits, values: [0x5412, 0x541c], are: 'refused', errno: errors.notPermitted },
  /** Only the usual one, and asking which it is. */
  personality: {
    numbers: [135, 92], argument: 0, mask: allBits, values: [0, allBits], are: 'allowed', errno: errors.notPermitted,
  },
  chmod: { numbers: [90, 'none'], argument: 1, ...ownersRights },
  fchmod: { numbers: [91, 52], argument: 1, ...ownersRights },
  fchmodat: { numbers: [268, 53], argument: 2, ...ownersRights },
  fchmodat2: { numbers: [452, 452], argument: 2, ...ownersRights },
  creat: { numbers: [85, 'none'], argument: 1, ...ownersRights },
  open: { numbers: [2, 'none'], argument: 2, ...ownersRights, when: { argument: 1, mask: whenCreated } },
  openat: { numbers: [257, 56], argument: 3, ...ownersRights, when: { argument: 2, mask: whenCreated } },
} // prettier-ignore
