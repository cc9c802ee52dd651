import Edge
import Model
import Supervisor
import Synchronization

/// Accepts connections while there are several cordons, and gives each to the one whom its first bytes ask for.
final class CordonDoor: FrontDoor {
    private let routes: Mutex<PlatformRoutes>
    private let baseDomain: String
    private let supervisor = Mutex<Supervisor?>(nil)
    private let doorkeeper = Mutex<Doorkeeper?>(nil)

    init(baseDomain: String) {
        self.baseDomain = baseDomain
        routes = Mutex(PlatformRoutes(baseDomain: baseDomain))
    }

    /// Before it is opened.
    func connect(_ listeners: [Listener], proxies: [AddressRange], to supervisor: Supervisor) {
        self.supervisor.withLock { $0 = supervisor }
        doorkeeper.withLock { doorkeeper in
            doorkeeper = Doorkeeper(listeners: listeners, proxies: proxies) { [weak self] descriptor, wish in
                self?.pass(descriptor, wish)
            }
        }
    }

    func take(_ routes: RoutingSnapshot, isWhole: Bool) {
        self.routes.withLock { known in
            if isWhole { known = PlatformRoutes(baseDomain: baseDomain) }
            for item in routes.items { known.apply(item) }
        }
    }

    func setOpen(_ isOpen: Bool) { doorkeeper.withLock { $0 }?.setOpen(isOpen) }

    private func pass(_ descriptor: Int32, _ wish: Doorkeeper.Wish) {
        let owner = routes.withLock { $0.owner(scheme: wish.scheme, host: wish.host, target: wish.target) }
        var script: ScriptKey?
        var account: String?
        switch owner {
        case .script(let key): script = key
        case .account(let id): account = id
        case nil: break
        }
        supervisor.withLock { $0 }?.pass(descriptor, of: wish.listener, for: script, account: account)
    }
}
