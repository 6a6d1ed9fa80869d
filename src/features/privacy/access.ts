export { countReceiptsBefore, deleteReceiptsBefore } from './store.ts'
export { countConsentsOfErased, deleteConsentsOfErased } from './store-consents.ts'
export { isExportKeyUsed } from './store-exports.ts'
