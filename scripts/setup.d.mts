export declare const ROOT: string
export declare function bunPath(): string
export declare function nodePath(): string | undefined
export declare function runsTypeScript(version: string): boolean
