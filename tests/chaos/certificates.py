import subprocess

from test_tls import make_certificate


class Certificates(dict):
    def __init__(self, folder):
        key, self.ca = folder / "ca.key", folder / "ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                        "-subj", "/CN=Test authority", "-keyout", str(key), "-out", str(self.ca)], check=True, capture_output=True)
        authority = (self.ca, key)
        super().__init__(good=make_certificate(folder, "good", authority=authority),
                         wrong_host=make_certificate(folder, "wrong", host="other.example", authority=authority),
                         expired=make_certificate(folder, "expired", days=-1, authority=authority),
                         self_signed=make_certificate(folder, "own"))
