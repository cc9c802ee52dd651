await null;
export const value = await (async () => "dependency")();
