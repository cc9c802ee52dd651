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

    func destination(of connection: PassedConnection) -> Destination? {
        let socket = PassedSocket(connection.descriptor, received: connection.received)
        guard
            let (wish, cookie) = doorkeeper.withLock({ $0 })?.wish(of: socket, listener: connection.listener)
        else { return nil }
        let (script, account) = owner(of: wish)
        return Destination(script: script, account: account, cookie: cookie)
    }

    private func owner(of wish: Doorkeeper.Wish) -> (script: ScriptKey?, account: String?) {
        switch routes.withLock({ $0.owner(scheme: wish.scheme, host: wish.host, target: wish.target) }) {
        case .script(let key): (key, nil)
        case .account(let id): (nil, id)
        case nil: (nil, nil)
        }
    }

    private func pass(_ descriptor: Int32, _ wish: Doorkeeper.Wish) {
        let (script, account) = owner(of: wish)
        supervisor.withLock { $0 }?.pass(descriptor, of: wish.listener, for: script, account: account)
    }
}
