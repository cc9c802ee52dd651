import ArgumentParser
import Project

/// How a Worker's files become modules; what is not said here, the project file says.
struct BuildOptions: ParsableArguments {
    @Option(help: "The bundler, esbuild. By default $MARTLET_ESBUILD, else the first in PATH.")
    var esbuild: String?
    @Flag(
        inversion: .prefixedNo,
        help: "Bundle even plain JavaScript, or upload the files as they are. By default what needs it is bundled.")
    var bundle: Bool?
    @Flag(help: "Make the bundle small.")
    var minify = false

    func settings(_ project: BuildSettings?, mode: String = "production") -> BuildSettings {
        var settings = project ?? BuildSettings()
        settings.esbuild = esbuild
        if let bundle { settings.bundles = bundle }
        if minify { settings.isMinified = true }
        settings.mode = mode
        return settings
    }
}
