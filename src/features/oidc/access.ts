export { isFlowKeyUsed, listIdentities } from './store.ts'
