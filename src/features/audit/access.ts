export { isKeyUsed as isCheckpointKeyUsed } from './store-checkpoints.ts'
