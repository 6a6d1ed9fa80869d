// Loaded by check.mjs in front of dependency-cruiser, which reads TypeScript with the compiler's
// own API. TypeScript 7, our compiler, is a native program without that API; version 6 has it,
// under another name, so that `tsc` stays the newer one.
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.replace(/^typescript(?=$|\/)/, '@tsd/typescript'), context),
})
