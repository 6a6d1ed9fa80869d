export { countReceiptsBefore, deleteReceiptsBefore } from './store.ts'
export { isExportKeyUsed } from './store-exports.ts'
