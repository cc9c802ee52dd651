import Isolates
import WebAPI
let engine = try Engine(bundle: Bundle.make(), warmUpHost: WarmUp.host())
print("snapshot", engine.snapshotBytes)
