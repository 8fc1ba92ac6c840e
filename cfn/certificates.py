"""Stack `certificates` (each): what the load balancers of a Region prove themselves with.

Each service's certificate carries `<host>`, by which clients come wherever the service is, and
`<region>.<host>`, by which checkers and controllers look at one Region. Validated by records in our
own zone: nobody has to renew. The first one waits until the parent of the zone delegates to it.
"""

from troposphere import Output, Ref, Template
from troposphere.certificatemanager import Certificate, DomainValidationOption

from cfn import parameters
from cfn.names import logical, named
from platform_pipelines.model import Platform, Region, Service


def build(platform: Platform, region: Region) -> Template:
    """The Region's certificates. Outputs, per service: Certificate<Name>, its ARN."""
    template = Template(Description=f"{platform.platform}: the certificates in {region.name}")
    parameters.add(template, "Zone")
    for service in platform.services:
        title = logical("Certificate", service.name)
        certificate = template.add_resource(_certificate(title, service, region))
        template.add_output(Output(title, Value=Ref(certificate)))
    return template


def _certificate(title: str, service: Service, region: Region) -> Certificate:
    hosts = (service.host, service.regional_host(region))
    return Certificate(
        title,
        DomainName=hosts[0],
        SubjectAlternativeNames=list(hosts[1:]),
        ValidationMethod="DNS",
        DomainValidationOptions=[
            DomainValidationOption(DomainName=host, HostedZoneId=Ref("Zone")) for host in hosts
        ],
        Tags=named(service.host),
    )
