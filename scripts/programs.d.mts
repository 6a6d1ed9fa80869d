export declare const PACKAGES: { readonly nginx: string; readonly turnserver: string }
export declare function findProgram(name: keyof typeof PACKAGES): string | undefined
