"""A sink on loopback that confirms every call at once: what is measured is the sender."""

import socket
import threading

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"success":1}'


def serve(connection: socket.socket) -> None:
    """Answer the requests of one connection until it closes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pending = bytearray()
    with connection:
        while True:
            while b"\r\n\r\n" not in pending:
                more = connection.recv(262144)
                if not more:
                    return
                pending += more
            head, _, _ = bytes(pending).partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            total = len(head) + 4 + length
            while len(pending) < total:
                pending += connection.recv(262144)
            del pending[:total]
            connection.sendall(ANSWER)


def main() -> None:
    """Listen on a free port of loopback and print the address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
