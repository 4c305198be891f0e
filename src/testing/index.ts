export { storeContract, type StoreContractCase, type StoreUnderTest } from './store-contract.ts'
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts'
