// Ends Azurite when whoever started it is gone: then the pipe on its standard input is closed.
process.stdin.on("end", () => process.exit()).resume();
process.stdin.unref(); // it must not keep alive an Azurite that has closed its doors
