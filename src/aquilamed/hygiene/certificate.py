CERTIFICATE = "certificate.json"
