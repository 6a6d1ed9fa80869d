export declare function failedTests(report: string, root: string): { name: string; file: string }[]
