export { isCheckpointKeyUsed } from './store-checkpoints.ts'
